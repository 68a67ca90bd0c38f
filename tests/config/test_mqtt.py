"""How an MQTT broker has to prove who it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import SettingInvalid
from config.mqtt import MqttOptions


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_a_wrong_setting(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(SettingInvalid, match=rf"mqtt\.authority: {file}: no certificate"):
        MqttOptions(authority=str(file)).tls_context()


def test_without_tls_it_proves_nothing() -> None:
    assert MqttOptions(tls="none").tls_context() is None
