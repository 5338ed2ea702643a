"""What several test files share."""

import pytest

from fwbio.cards import reader


@pytest.fixture
def mutate(monkeypatch):
    """``mutate(card, block, key, wrong)``: from here on that card reads with one entry wrong."""

    def apply(card, block, key, wrong):
        right = reader.read

        def mutated(name):
            tables = right(name)
            if name == card:
                tables[block][key] = wrong
            return tables

        monkeypatch.setattr(reader, "read", mutated)

    return apply
