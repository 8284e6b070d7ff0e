"""The buttons: read the scene, call one function, report one sentence."""
