"""Figures, tables and pages about fitted and exported models."""
