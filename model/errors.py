"""What can be wrong with a model, its passport or the enrolled people, one class for each.

``code`` is the word that messages have for it.
"""

from __future__ import annotations


class ModelError(Exception):
    """The model cannot say whose heart it is."""

    code: str = "model_failed"

    def __init_subclass__(cls, code: str | None = None) -> None:
        cls.code = code or cls.code


class ModelMissing(ModelError, FileNotFoundError):
    """There is no model at the path that was given."""


class PassportError(ModelError):
    """The passport does not vouch for the model."""


class PassportMissing(PassportError, FileNotFoundError):
    """There is no passport beside the model."""


class PassportUnreadable(PassportError, ValueError):
    """The passport is not JSON."""


class PassportSchemaUnknown(PassportError, ValueError):
    """The passport has a layout that this version does not know."""


class PassportFieldInvalid(PassportError, ValueError):
    """A field of the passport is missing, or not of the kind it should be."""


class PassportMismatch(PassportError, ValueError):
    """The model was trained behind another signal chain than the one that runs."""


class ModelAltered(PassportError, ValueError):
    """The model is not the file that the passport was written for."""


class CohortUnusable(PassportError, ValueError):
    """The cohort that scores are compared with is missing, altered or damaged."""


class NetworkError(ModelError):
    """The network cannot be run."""


class RuntimeMissing(NetworkError, ImportError):
    """No TFLite runtime that works is installed."""


class ModelUnloadable(NetworkError, ValueError):
    """The TFLite runtime refuses the model."""


class ModelShapeWrong(NetworkError, ValueError):
    """The model's tensors are not what its passport says."""


class GalleryError(ModelError, code="gallery_failed"):
    """The file of enrolled people cannot do what was asked."""


class GalleryMissing(GalleryError, FileNotFoundError, code="gallery_missing"):
    """There is no gallery at that path."""


class GalleryUnreadable(GalleryError, ValueError, code="gallery_unreadable"):
    """The file is not a gallery, or it is damaged."""


class GalleryTooNew(GalleryError, ValueError, code="gallery_too_new"):
    """The gallery was written by a newer version."""


class GallerySealed(GalleryError, PermissionError, code="gallery_sealed"):
    """The gallery is sealed with a key that is not ours."""


class GalleryNotPermitted(GalleryError, PermissionError, code="gallery_not_permitted"):
    """The gallery's file or folder may not be read and written by this user."""


class GalleryNotWritten(GalleryError, OSError, code="gallery_not_written"):
    """The disk did not take what was to be written."""


class GalleryNotSwept(GalleryError, OSError, code="gallery_not_swept"):
    """What was asked is done, but the file could not be written anew after it."""


class GalleryBusy(GalleryError, OSError, code="gallery_busy"):
    """Another program holds the gallery."""


class PersonUnknown(GalleryError, LookupError, code="person_unknown"):
    """Nobody of that name is enrolled."""


class PersonExists(GalleryError, ValueError, code="person_exists"):
    """Somebody of that name is enrolled already."""


class NameInvalid(GalleryError, ValueError, code="name_invalid"):
    """A person cannot be called that."""


class ExportInvalid(GalleryError, ValueError):
    """The file to import is not what ``qrsd people export`` writes."""


class ForeignTemplate(GalleryError, ValueError, code="foreign_template"):
    """An embedding was made by another model and means nothing to this one."""


class CalibrationUnusable(GalleryError, ValueError):
    """The calibration of this device cannot be read, or is not what was written."""


class EmbedderNeeded(ModelError, ValueError):
    """The command compares hearts, and the model only tells a fixed group apart."""


class EnrolmentFailed(ModelError, ValueError, code="enrolment_failed"):
    """The beats gathered do not make a template."""


class EnrolmentSuspect(EnrolmentFailed, code="enrolment_suspect"):
    """The beats seem to be played into the wires, or not to have been recorded of a heart."""


class OwnerUnknown(PermissionError):
    """Root would write into a folder of which it cannot be told whose it is."""
