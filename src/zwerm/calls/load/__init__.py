"""Load for a calls service: many users online who ring each other, and how long that takes (`zwerm load calls`)."""
