"""A stand-in for Checkmk's API of rulesets, as far as the plugin needs it."""


class Title(str):
    pass


class Help(str):
    pass
