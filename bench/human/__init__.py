"""Judgements of people: reference set and runs -> a campaign for Pearmut -> annotations -> scores and judgements.

Pearmut (Zouhar and Kocmi 2026, arXiv 2601.02933; package `pearmut`) serves the pages on which people annotate.
"""
