"""History as content: every change set of the files is a signed commit that anybody can hold and verify."""
