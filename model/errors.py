"""What can be wrong with a model, its passport or the enrolled people.

ModelError
├── ModelMissing (FileNotFoundError)         no .tflite at that path
├── PassportError                            the .json beside the model
│   ├── PassportMissing (FileNotFoundError)  it is not there
│   ├── PassportUnreadable (ValueError)      it is not JSON
│   ├── PassportSchemaUnknown (ValueError)   written by another version of qrsd
│   ├── PassportFieldInvalid (ValueError)    a field is missing or not what it should be
│   ├── PassportMismatch (ValueError)        made for another signal chain
│   ├── ModelAltered (ValueError)            the .tflite is not the one it was written for
│   └── CohortUnusable (ValueError)          the .npy it names is missing or another one
├── NetworkError
│   ├── RuntimeMissing (ImportError)         no TFLite runtime that works is installed
│   ├── ModelUnloadable (ValueError)         the runtime refuses the file
│   └── ModelShapeWrong (ValueError)         its tensors are not what the passport says
├── GalleryError
│   ├── GalleryMissing (FileNotFoundError)   no such file
│   ├── GalleryUnreadable (ValueError)       not a gallery, or damaged
│   ├── GalleryTooNew (ValueError)           written by a newer qrsd
│   ├── GallerySealed (PermissionError)      sealed, and we do not have the key
│   ├── GalleryNotPermitted (PermissionError) the folder or the file is not ours to write
│   ├── GalleryNotWritten (OSError)          the disk is full, or fails
│   ├── GalleryNotSwept (OSError)            changed, but traces of what was there may be left
│   ├── GalleryBusy (OSError)                another program writes to it
│   ├── PersonUnknown (LookupError)          nobody of that name is enrolled
│   ├── PersonExists (ValueError)            the name is taken
│   ├── NameInvalid (ValueError)             not usable as a name
│   ├── ExportInvalid (ValueError)           the file to import was not exported by qrsd
│   └── ForeignTemplate (ValueError)         an embedding that another model made
├── EmbedderNeeded (ValueError)              a classifier was asked to compare hearts
└── EnrolmentFailed (ValueError)             the beats are not one person's, or too few
    └── EnrolmentSuspect                     they are no living heart's
"""

from __future__ import annotations


class ModelError(Exception):
    """The model cannot say whose heart it is."""

    code: str = "model_failed"


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


class GalleryError(ModelError):
    """The file of enrolled people cannot do what was asked."""

    code = "gallery_failed"


class GalleryMissing(GalleryError, FileNotFoundError):
    """There is no gallery at that path."""

    code = "gallery_missing"


class GalleryUnreadable(GalleryError, ValueError):
    """The file is not a gallery, or it is damaged."""

    code = "gallery_unreadable"


class GalleryTooNew(GalleryError, ValueError):
    """The gallery was written by a newer version."""

    code = "gallery_too_new"


class GallerySealed(GalleryError, PermissionError):
    """The gallery is sealed with a key that is not ours."""

    code = "gallery_sealed"


class GalleryNotPermitted(GalleryError, PermissionError):
    """The gallery's file or folder may not be read and written by this user."""

    code = "gallery_not_permitted"


class GalleryNotWritten(GalleryError, OSError):
    """The disk did not take what was to be written."""

    code = "gallery_not_written"


class GalleryNotSwept(GalleryError, OSError):
    """What was asked is done, but the file could not be written anew after it."""

    code = "gallery_not_swept"


class GalleryBusy(GalleryError, OSError):
    """Another program holds the gallery."""

    code = "gallery_busy"


class PersonUnknown(GalleryError, LookupError):
    """Nobody of that name is enrolled."""

    code = "person_unknown"


class PersonExists(GalleryError, ValueError):
    """Somebody of that name is enrolled already."""

    code = "person_exists"


class NameInvalid(GalleryError, ValueError):
    """A person cannot be called that."""

    code = "name_invalid"


class ExportInvalid(GalleryError, ValueError):
    """The file to import is not what ``qrsd people export`` writes."""


class ForeignTemplate(GalleryError, ValueError):
    """An embedding was made by another model and means nothing to this one."""

    code = "foreign_template"


class EmbedderNeeded(ModelError, ValueError):
    """The command compares hearts, and the model only tells a fixed group apart."""


class EnrolmentFailed(ModelError, ValueError):
    """The beats gathered do not make a template."""

    code = "enrolment_failed"


class EnrolmentSuspect(EnrolmentFailed):
    """The beats seem to be played into the wires, or not to have been recorded of a heart."""

    code = "enrolment_suspect"
