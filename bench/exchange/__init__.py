"""Boards and runs in the formats of others. Every form is a function: board or store -> file name -> content."""
