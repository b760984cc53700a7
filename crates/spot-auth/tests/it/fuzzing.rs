//! Tests that the entry points for fuzzing accept valid input.

use spot_auth::fuzzing;

#[test]
fn fuzzing_entry_points_accept_valid_and_reject_invalid_input() {
    let callback = format!(
        "GET /callback?code=c&state={} HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n",
        fuzzing::STATE
    );
    assert!(fuzzing::listener(callback.as_bytes()));
    assert!(!fuzzing::listener(&callback.as_bytes()[1..]));
    fuzzing::pasted_address("https://example.org/?code=c&state=x#_");
    assert!(fuzzing::token_response(br#"{"access_token":"a","scope":5}"#));
    assert!(!fuzzing::token_response(b"[]"));
    let file = br#"{"format":1,"version":7,"client_id":"client","account":"account",
        "scopes":"streaming","record":{"refresh_token":"r","expires_at":1}}"#;
    assert!(fuzzing::token_file(file));
    assert!(!fuzzing::token_file(&file[1..]));
}
