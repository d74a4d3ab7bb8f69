"""What the applications of people ask for when they start, and of which there is nothing here."""

from types import MappingProxyType
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.rpc import peers
from sandbox.rpc.marks import peer
from sandbox.rpc.registry import Call, Handler, RpcError, rpc

#: Until a client asks again for what there will not be.
_ASK_AGAIN_S: Final = 3600

_EMPTY: Final = MappingProxyType(
    {
        functions.account.GetChatThemesRequest: types.account.Themes,
        functions.account.GetContentSettingsRequest: types.account.ContentSettings,
        functions.account.GetNotifySettingsRequest: types.PeerNotifySettings,
        functions.account.GetWebBrowserSettingsRequest: types.account.WebBrowserSettings,
        functions.aicompose.GetTonesRequest: types.aicompose.Tones,
        functions.contacts.GetContactsRequest: types.contacts.Contacts,
        functions.contacts.GetTopPeersRequest: types.contacts.TopPeersDisabled,
        functions.help.GetPeerColorsRequest: types.help.PeerColors,
        functions.help.GetPeerProfileColorsRequest: types.help.PeerColors,
        functions.messages.GetAttachMenuBotsRequest: types.AttachMenuBots,
        functions.messages.GetAvailableEffectsRequest: types.messages.AvailableEffects,
        functions.messages.GetAvailableReactionsRequest: types.messages.AvailableReactions,
    }
)


def _nothing(kind: Any) -> Handler:
    def answer(call: Call, request: Any) -> Any:
        """There are none here."""
        return tl.filled(kind)

    return answer


#: the calls whose answer is an empty list, or has nothing set
EMPTY: Final = tuple(rpc(request, bots=False)(_nothing(kind)) for request, kind in _EMPTY.items())


@rpc(functions.account.GetReactionsNotifySettingsRequest, bots=False)
def get_reactions_notify_settings(call: Call, request: Any) -> Any:
    return types.ReactionsNotifySettings(types.NotificationSoundDefault(), show_previews=True)


@rpc(functions.help.GetAppConfigRequest, anonymous=True, passive=True)
def get_app_config(call: Call, request: Any) -> Any:
    """Nothing is set: clients take what they bring."""
    return types.help.AppConfig(hash=0, config=types.JsonObject([]))


@rpc(functions.help.GetPromoDataRequest, bots=False)
def get_promo_data(call: Call, request: Any) -> Any:
    """There is none here."""
    return types.help.PromoDataEmpty(_later(call))


@rpc(functions.help.GetTermsOfServiceUpdateRequest, bots=False)
def get_terms_of_service_update(call: Call, request: Any) -> Any:
    """There is none here."""
    return types.help.TermsOfServiceUpdateEmpty(_later(call))


def _later(call: Call) -> Any:
    return call.world.clock.date() + _ASK_AGAIN_S


@rpc(functions.messages.GetDialogFiltersRequest, bots=False)
def get_dialog_filters(call: Call, request: Any) -> Any:
    """All chats are in one list."""
    return types.messages.DialogFilters([types.DialogFilterDefault()])


@rpc(functions.messages.GetPeerSettingsRequest, bots=False)
def get_peer_settings(call: Call, request: Any) -> Any:
    """Nothing is set."""
    return types.messages.PeerSettings(types.PeerSettings(), chats=[], users=[])


@rpc(functions.stories.GetPeerStoriesRequest, bots=False)
def get_peer_stories(call: Call, request: Any) -> Any:
    """There are none here."""
    of = peer(peers.place(call, request.peer).peer_id)
    return types.stories.PeerStories(types.PeerStories(of, stories=[]), chats=[], users=[])


@rpc(functions.messages.GetStickerSetRequest)
def get_sticker_set(call: Call, request: Any) -> Any:
    """There are none here: STICKERSET_INVALID."""
    raise RpcError(400, "STICKERSET_INVALID")
