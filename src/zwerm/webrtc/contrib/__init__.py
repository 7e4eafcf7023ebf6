"""What programs for aiortc import beside the objects, by aiortc's names."""
