"""Measures of codes: arrays in, numbers out. Nothing here knows a model, a data set or PyTorch.

    from whatmoves.codes import blocks, dci, dependence, explicitness, mig, modularity, sap

`rows` says what a measure takes, `score` measures a file of codes with everything at once.
"""
