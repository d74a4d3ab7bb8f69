"""What stands under a delivered file, in the operator's words or in those of the language."""

from uploader.model import Caption, Job, KeptFile, MediaFacts, Uploaded
from uploader.names import one_line
from uploader.template import Template, plain
from uploader.texts import LANGUAGES, Texts


class Captions:
    """The captions of one engine."""

    def __init__(self, template: str | None, texts: Texts) -> None:
        """`template` None: the one of each language; "": no captions.

        Raises:
            ValueError: see `Template`.
        """
        self._texts = texts
        self._templates = {
            language: Template(texts.get(language, "caption") if template is None else template)
            for language in LANGUAGES
        }

    def of_upload(self, job: Job, uploaded: Uploaded) -> Caption:
        """The caption of a file that was just uploaded."""
        return self._filled(job, uploaded.name, uploaded.size_bytes, uploaded.facts)

    def of_kept(self, job: Job, file: KeptFile) -> Caption:
        """The caption of a file that somebody else was brought: the same, in this person's language."""
        return self._filled(job, file.name, file.size_bytes, file)

    def _filled(self, job: Job, name: str, size_bytes: int, facts: MediaFacts | KeptFile | None) -> Caption:
        if job.wish.caption is not None:
            return plain(job.wish.caption)
        values = {
            "name": name,
            "size": self._texts.size(job.language, size_bytes),
            "host": job.link.host,
        }
        told = {} if facts is None else self._told(job.language, facts)
        return self._templates[job.language].fill({**values, **told})

    def _told(self, language: str, facts: MediaFacts | KeptFile) -> dict[str, str | None]:
        """What a film or a song says of itself."""
        width, height = (self._texts.digits(language, str(size)) for size in (facts.width, facts.height))
        pictures = {"width": width, "height": height, "resolution": f"{width}×{height}"}
        return {
            "title": one_line(facts.title or ""),
            "performer": one_line(facts.performer or ""),
            "duration": self._texts.clock(language, facts.duration_s) if facts.duration_s else None,
            **(pictures if facts.width and facts.height else {}),
        }
