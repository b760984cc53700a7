//! A Spotify Web API to run: an in-process server for tests, demos and offline work.
