"""The three nouns as code: what a model, a run and a scorecard are, and the data they share.

Everything above imports from here; this package imports torch, NumPy, pydantic and the standard library.
"""
