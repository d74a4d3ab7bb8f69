"""What an upload session needs of an account, and how it introduces itself."""

from dataclasses import dataclass, field

from telethon.tl import functions
from telethon.tl.alltlobjects import LAYER

from uploader.transfer import tl


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The account's home data centre and authorization key, and the application's name.

    Telethon has them in public: `client.session.server_address`, `.port` and `.auth_key.key`.
    """

    host: str  # an IP address
    port: int
    auth_key: bytes = field(repr=False)  # 256 bytes
    api_id: int
    device_model: str
    system_version: str
    app_version: str
    lang_code: str = "en"
    proxy: str | None = field(default=None, repr=False)  # socks5://user:password@host:port, or http://
    obfuscated: bool = False  # for networks that look for MTProto


def hello(endpoint: Endpoint) -> tl.Request:
    """The first request of a session: API layer, application, and a small call to be answered.

    It is alone so that the salt is known before the first part is sent: a part is not sent for nothing.
    https://core.telegram.org/api/invoking#saving-client-info
    """
    introduction = functions.InitConnectionRequest(
        api_id=endpoint.api_id,
        device_model=endpoint.device_model,
        system_version=endpoint.system_version,
        app_version=endpoint.app_version,
        system_lang_code=endpoint.lang_code,
        lang_pack="",
        lang_code=endpoint.lang_code,
        query=functions.help.GetConfigRequest(),
    )
    without_updates = functions.InvokeWithoutUpdatesRequest(introduction)
    return tl.small_request(bytes(functions.InvokeWithLayerRequest(LAYER, without_updates)))
