//! Who is asking the Spotify Web API: the OAuth flows, refresh, token stores, the loopback listener.
