"""Photo Wake-Up: a photo of a person becomes a rigged, textured character that walks out of it."""


def register() -> None:
    """Called by Blender when the extension is switched on."""
    from .addon.registration import register as register_all

    register_all()


def unregister() -> None:
    """Called by Blender when the extension is switched off."""
    from .addon.registration import unregister as unregister_all

    unregister_all()
