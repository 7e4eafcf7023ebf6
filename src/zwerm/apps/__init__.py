"""What a person does with it: each application joins the parts below."""
