"""The data set with most to look at, where the what–where VAE is asked for what it cannot. Imports nothing heavy."""

from whatmoves.study import Study

BUSY = "push_world"  # the data kind


def busy_data(study: Study) -> str | None:
    """The data set, if any, on which a what–where VAE is trained although things there are no sprites on black."""
    for dataset, entry in study.data.items():
        models = (model for model in study.models.values() if dataset in model.trains_on)
        if entry.kind == BUSY and any(model.kind == "what_where_vae" for model in models):
            return dataset
    return None
