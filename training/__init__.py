"""How COMET (embedded) was made. `python -m training DATA` reruns it; README.md describes the data and the recipe.

Nothing here is needed to score: that is bench.scorers.comet_embedded.
"""
