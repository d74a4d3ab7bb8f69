"""The dashboard: a guest of the engine that speaks to its control API and to nothing else.

`app.DashboardApp` is the door for people, `client.ControlClient` the one for programs (no Textual in it).
Textual lays out no right-to-left text: Persian names are shown as they are, and whether they read well
is up to the terminal.
"""
