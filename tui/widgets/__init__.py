"""The reusable parts that screens are made of, and the driver of the terminal that they are drawn on."""
