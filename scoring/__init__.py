"""Scores predictions as they appear: NAUC, balanced accuracy, accuracy and F1 over log time.

Stands alone: it never imports `autodl_solver`, so that it can judge any submission. Read `score.py` first.
"""
