"""The room of views: what the lessons draw, one module a notebook.

Each function draws what a room computed and returns a matplotlib Figure; none computes results of
its own, but for the curve of a theory beside what was measured. In a lesson:
`from amaas_kit.views import forward_pass as views`.
"""
