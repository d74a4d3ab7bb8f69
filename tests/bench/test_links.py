"""`run.py bench links`, in small: both ways say the same of each link."""

from uploader.bench.links import measure


def test_measure_when_run_asks_both_ways_of_every_link() -> None:
    """Films, pages, files and what is no link: nothing is called differently by the child."""
    texts = [
        "https://www.youtube.com/watch?v=BaW_jenozKc",
        "https://vimeo.com/76979871",
        "https://example.com/page",
        "https://example.com/file.zip",
        "no link",
    ]
    figures = measure(texts)
    assert (5, 0) == (figures.links, figures.differences)
    assert figures.explain_s > 0 < figures.engine_s
