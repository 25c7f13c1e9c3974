"""How the model of COMET (embedded) was trained. README.md describes the data and the recipe.

`python -m training DATA WORK` runs it again. Scoring needs nothing from here: see
bench.scorers.comet_embedded.
"""
