//! Tests responses of the token endpoint in which a field has an unexpected value.

use spot_auth::{ErrorKind, ExposeSecret, MemoryStore, TokenSource, TokenStore};

use crate::{
    scripted_accounts::{Reply, Script},
    stores::{key, record},
};

/// Refreshes once; the service responds with `body`. Returns the resulting token or error, and the
/// refresh token that is in the store afterwards.
async fn refreshed(body: String) -> (Result<String, ErrorKind>, String) {
    let service = Script::of([Reply::ok(body)]);
    let store = MemoryStore::new();
    store.save(&key(), &record("old"), None).await.unwrap();
    let app = service.app().build().unwrap();
    let session = app.stored_session(store.clone(), "me", "user-library-read").await;
    let session = session.unwrap().unwrap();
    let token = session.token().await;
    let token = token.map(|token| token.header().to_str().unwrap().to_owned());
    let stored = store.load(&key()).await.unwrap().unwrap();
    let kept = stored.record().refresh_token().unwrap().expose_secret().to_owned();
    (token.map_err(|error| error.kind()), kept)
}

#[tokio::test(start_paused = true)]
async fn an_invalid_field_does_not_lose_the_rotated_refresh_token() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let odd = [
        r#""scope":5"#.to_owned(),
        r#""scope":{"a":1}"#.to_owned(),
        r#""scope":[1,null,"streaming"]"#.to_owned(),
        r#""expires_in":"soon""#.to_owned(),
        r#""expires_in":[]"#.to_owned(),
        r#""expires_in":-1"#.to_owned(),
        r#""expires_in":1e999"#.to_owned(),
        r#""token_type":"mac""#.to_owned(),
        r#""token_type":7"#.to_owned(),
        r#""expires_in":3600,"expires_in":3600"#.to_owned(),
        format!(r#""more":{deep}"#),
        format!(r#""scope":{deep}"#),
        r#""more":"\ud800""#.to_owned(),
        r#""more":1e99999"#.to_owned(),
    ];
    let mut lost = Vec::new();
    for field in &odd {
        let short: String = field.chars().take(40).collect();
        for body in [
            format!(r#"{{"access_token":"new","refresh_token":"rotated",{field}}}"#),
            format!(r#"{{{field},"access_token":"new","refresh_token":"rotated"}}"#),
        ] {
            let (token, kept) = refreshed(body).await;
            if token.as_deref() != Ok("Bearer new") || kept != "rotated" {
                lost.push((short.clone(), token, kept));
            }
        }
    }
    assert!(lost.is_empty(), "{} of {} lost: {lost:#?}", lost.len(), 2 * odd.len());
}

#[tokio::test(start_paused = true)]
async fn a_response_without_access_token_keeps_the_new_refresh_token() {
    for field in
        ["", r#","access_token":null"#, r#","access_token":7"#, r#","access_token":"a\nb""#]
    {
        let (token, kept) = refreshed(format!(r#"{{"refresh_token":"rotated"{field}}}"#)).await;
        assert_eq!((token, kept.as_str()), (Err(ErrorKind::Decode), "rotated"), "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn text_around_the_json_response_is_ignored() {
    let object = r#"{"access_token":"new","refresh_token":"rotated"}"#;
    for body in [format!("\u{feff}{object}"), format!("{object}\n\0"), format!("  {object} x")] {
        let (token, kept) = refreshed(body.clone()).await;
        assert_eq!((token.as_deref(), kept.as_str()), (Ok("Bearer new"), "rotated"), "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_refresh_token_keeps_the_old_refresh_token() {
    for field in ["7", "[]", "null", r#""""#, r#"{"a":"b"}"#] {
        let body = format!(r#"{{"access_token":"new","refresh_token":{field}}}"#);
        let (token, kept) = refreshed(body).await;
        assert_eq!((token.as_deref(), kept.as_str()), (Ok("Bearer new"), "old"), "{field}");
    }
}
