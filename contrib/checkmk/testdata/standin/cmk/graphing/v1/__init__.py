"""A stand-in for Checkmk's API of graphs, as far as the plugin needs it."""


class Title(str):
    pass
