//! How a call to the Spotify Web API gets there and back: transport, retries, the rate gate, deadlines, errors.
