"""What stands under a delivered file, in the operator's words or in those of the language."""

from uploader.model import Caption, Job, KeptFile, Uploaded
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
        facts = uploaded.facts
        title, duration_s = (facts.title, facts.duration_s) if facts else (None, None)
        return self._filled(job, uploaded.name, uploaded.size_bytes, title, duration_s)

    def of_kept(self, job: Job, file: KeptFile) -> Caption:
        """The caption of a file that somebody else was brought: the same, in this person's language."""
        return self._filled(job, file.name, file.size_bytes, file.title, file.duration_s)

    def _filled(
        self, job: Job, name: str, size_bytes: int, title: str | None, duration_s: float | None
    ) -> Caption:
        if job.wish.caption is not None:
            return plain(job.wish.caption)
        return self._templates[job.language].fill(
            {
                "name": name,
                "size": self._texts.size(job.language, size_bytes),
                "title": one_line(title or ""),
                "duration": self._texts.clock(job.language, duration_s) if duration_s else None,
                "host": job.link.host,
            }
        )
