//! What one can ask the Spotify Web API: a request type per operation, paging as a stream.
