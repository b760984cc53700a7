//! Tests `sign_in_from_env`, with which a script signs in its user in one call.

use std::{
    env,
    process::Command,
    time::{Duration, SystemTime},
};

use spot_auth::{FileStore, Scope, StoreKey, TokenRecord, TokenSource, TokenStore};

const ROLE: &str = "SPOT_AUTH_SCRIPT";

/// The script, which runs in a separate process with its own environment variables.
#[tokio::test]
async fn child_process_signs_in_from_env() {
    let Some(role) = env::var_os(ROLE) else { return };
    if role == "forgetful" {
        let error = spot_auth::sign_in_from_env(Scope::Streaming).await.unwrap_err();
        assert!(error.message().contains("SPOTIFY_CLIENT_ID"), "{error}");
        return;
    }
    let store = FileStore::in_default_directory().unwrap();
    assert!(store.directory().starts_with(env::var_os("HOME").unwrap()), "{store:?}");
    let key = StoreKey::new("from-the-environment", "default", Scope::Streaming);
    let hour = SystemTime::now() + Duration::from_secs(3_600);
    let record = TokenRecord::from_refresh_token("r").with_access_token("still-good", hour);
    store.save(&key, &record, None).await.unwrap();
    let session = spot_auth::sign_in_from_env(Scope::Streaming).await.unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer still-good");
}

#[test]
fn sign_in_from_env_uses_variables_and_the_stored_session() {
    let home = tempfile::tempdir().unwrap();
    for (role, client_id) in [("forgetful", None), ("usual", Some("from-the-environment"))] {
        let mut script = Command::new(env::current_exe().unwrap());
        script
            .args(["--exact", "environment::child_process_signs_in_from_env", "--nocapture"])
            .env(ROLE, role);
        script.env("HOME", home.path()).env("LOCALAPPDATA", home.path());
        for name in ["CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI"] {
            script.env_remove(format!("SPOTIFY_{name}")).env_remove(format!("SPOTIPY_{name}"));
        }
        script.env_remove("XDG_STATE_HOME");
        // Users who come from spotipy have already set this variable.
        script.envs(client_id.map(|id| ("SPOTIPY_CLIENT_ID", id)));
        let output = script.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{role}: {said}");
    }
}
