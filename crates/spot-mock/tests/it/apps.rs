//! Tests several applications and several users of one mock.

use std::time::Duration;

use spot_mock::{App, Consent, EarlyRetryPolicy, Fault, MockSpotify, Mode, PlaylistFields};

use crate::support::{Answer, Api, finish, http};

/// Sends a GET request with this token.
async fn get(mock: &MockSpotify, token: &str, path: &str) -> Answer {
    finish(http().get(format!("{}{path}", mock.api_url())).bearer_auth(token)).await
}

#[tokio::test]
async fn applications_have_separate_modes_and_credentials() {
    let mock = MockSpotify::builder()
        .app(App::new("old").mode(Mode::Extended).closed_2024(true))
        .app(App::new("older").mode(Mode::Extended))
        .start()
        .await
        .unwrap();
    assert_ne!(mock.app("old").client_id(), mock.client_id());
    assert_ne!(mock.app("old").client_secret(), mock.app("older").client_secret());
    let batch = format!("/tracks?ids={}", mock.world().track);
    let related = format!("/artists/{}/related-artists", mock.world().artist);
    for (app, batch_status, related_status) in
        [("mock", 403, 403), ("old", 200, 403), ("older", 200, 200)]
    {
        let token = mock.app(app).app_token();
        assert_eq!(get(&mock, &token, &batch).await.status, batch_status, "{app}");
        assert_eq!(get(&mock, &token, &related).await.status, related_status, "{app}");
    }
}

#[tokio::test]
async fn the_refresh_token_of_another_application_is_rejected() {
    let mock = MockSpotify::builder().app(App::new("other")).start().await.unwrap();
    let token = mock.refresh_token(&[]);
    let refresh = |client_id: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={token}&client_id={client_id}");
        let request = http()
            .post(format!("{}/api/token", mock.accounts_url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        finish(request)
    };
    let other = refresh(mock.app("other").client_id()).await;
    assert_eq!((other.status, &other.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(refresh(mock.client_id()).await.status, 200);
}

#[tokio::test]
async fn revoking_consent_affects_only_the_given_user_or_app() {
    let mock = MockSpotify::builder().app(App::new("other")).start().await.unwrap();
    let second = mock.world().other_user.clone();
    let mine = mock.user_token(&[]);
    let hers = mock.user_token_for(&second, &[]).unwrap();
    let of_other = mock.app("other").user_token(&[]);
    let of_nobody = mock.app_token();

    mock.app("mock").revoke_consent_of(&second);
    assert_eq!(get(&mock, &mine, "/me").await.status, 200);
    assert_eq!(get(&mock, &hers, "/me").await.status, 401);

    mock.app("mock").revoke_consents();
    assert_eq!(get(&mock, &mine, "/me").await.status, 401);
    assert_eq!(get(&mock, &of_other, "/me").await.status, 200);
    let artist = format!("/artists/{}", mock.world().artist);
    assert_eq!(get(&mock, &of_nobody, &artist).await.status, 200);

    mock.revoke_consents();
    assert_eq!(get(&mock, &of_other, "/me").await.status, 401);
}

#[tokio::test]
async fn unregistered_users_get_403_in_development_mode() {
    let mock = MockSpotify::builder()
        .app(App::new("closed circle").users(["mara.holt"]))
        .app(App::new("large").mode(Mode::Extended))
        .start()
        .await
        .unwrap();
    let sixth = "tin_whistle";
    let token = mock.user_token_for(sixth, &[]).unwrap();
    let refused = get(&mock, &token, "/me").await;
    assert_eq!(refused.status, 403);
    let text = "Check settings on developer.spotify.com/dashboard, the user may not be registered.";
    assert_eq!(refused.text, text);
    let token = mock.app("large").user_token_for(sixth, &[]).unwrap();
    assert_eq!(get(&mock, &token, "/me").await.status, 200);
    // The given list of registered users replaces the default list.
    let token = mock.app("closed circle").user_token(&[]);
    assert_eq!(get(&mock, &token, "/me").await.status, 403);
    let token = mock.app("closed circle").user_token_for("mara.holt", &[]).unwrap();
    assert_eq!(get(&mock, &token, "/me").await.status, 200);
}

#[tokio::test]
async fn a_development_app_without_owner_premium_gets_403() {
    let unpaid = App::new("unpaid").owner_premium(false);
    let mock = MockSpotify::builder().app(unpaid).start().await.unwrap();
    let artist = format!("/artists/{}", mock.world().artist);
    let refused = get(&mock, &mock.app("unpaid").app_token(), &artist).await;
    let text = "Active premium subscription required for the owner of the app.";
    assert_eq!((refused.status, refused.message().as_str()), (403, text));
}

#[tokio::test]
async fn invalid_builder_settings_are_named_in_the_error() {
    let refused = |app: App| async { MockSpotify::builder().app(app).start().await.unwrap_err() };
    let uri = refused(App::new("web").redirect_uri("http://example.com/back")).await.to_string();
    assert_eq!(
        uri,
        "application web: redirect URI http://example.com/back: the scheme must be https, or http on a loopback IP address"
    );
    let user = refused(App::new("web").users(["nobody"])).await.to_string();
    assert_eq!(user, "application web: no user has the id nobody");
    let twice = refused(App::new("mock")).await.to_string();
    assert_eq!(twice, "application mock: another application has the same name");
    let limit = MockSpotify::builder().operation_limit("upload-cover", 1).start().await;
    let limit = limit.unwrap_err().to_string();
    assert_eq!(limit, "operation_limit: upload-cover is not an operation of the Web API");
}

#[tokio::test]
async fn the_consent_page_lets_the_visitor_choose_a_user() {
    let mock = MockSpotify::builder().consent(Consent::Ask).start().await.unwrap();
    let url = format!(
        "{}/authorize?client_id={}&response_type=code&redirect_uri=https%3A%2F%2Fexample.com%2Fcallback",
        mock.accounts_url(),
        mock.client_id()
    );
    let page = finish(http().get(&url)).await.text;
    assert!(page.contains("Allow access as"), "{page}");
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let link = links.map(|link| link.replace("&amp;", "&"));
    let link = link.into_iter().find(|link| link.ends_with("user=zo%C3%AB%2391")).unwrap();
    assert!(page.contains("viewport") && page.contains("<h1>mock asks for access</h1>"), "{page}");
    assert!(
        page.contains("The browser then returns to <code>https://example.com/callback</code>"),
        "{page}"
    );
    // The first five of the seven users are registered.
    assert_eq!(page.matches("not registered: calls get 403").count(), 2);
    let sent = finish(http().get(format!("{}/authorize{link}", mock.accounts_url()))).await;
    let back = reqwest::Url::parse(sent.header("location").unwrap()).unwrap();
    let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let request = http()
        .post(format!("{}/api/token", mock.accounts_url()))
        .basic_auth(mock.client_id(), Some(mock.client_secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fexample.com%2Fcallback"
        ));
    let token = finish(request).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(get(&mock, &token, "/me").await.json()["id"], "zoë#91");
}

#[tokio::test]
async fn a_quota_applies_per_developer_and_operation_group() {
    let mock = MockSpotify::builder()
        .app(App::new("sibling"))
        .app(App::new("stranger").developer("somebody else"))
        .app(App::new("large").mode(Mode::Extended))
        .quota(3)
        .start()
        .await
        .unwrap();
    let albums = format!("/artists/{}/albums", mock.world().artist);
    let token = |app| mock.app(app).app_token();
    for app in ["mock", "sibling", "mock"] {
        assert_eq!(get(&mock, &token(app), &albums).await.status, 200);
    }
    mock.advance(Duration::from_secs(3_600));
    let refused = get(&mock, &token("sibling"), &albums).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("82800")));
    assert_eq!(refused.json()["error"]["reason"], "QUOTA_EXCEEDED");
    let artist = format!("/artists/{}", mock.world().artist);
    assert_eq!(get(&mock, &token("sibling"), &artist).await.status, 200);
    assert_eq!(get(&mock, &token("stranger"), &albums).await.status, 200);
    assert_eq!(get(&mock, &token("large"), &albums).await.status, 200);
    mock.advance(Duration::from_secs(82_800));
    // The earlier tokens have expired, so a new token is used.
    assert_eq!(get(&mock, &token("mock"), &albums).await.status, 200);
}

#[tokio::test]
async fn early_retries_increase_retry_after() {
    let builder = MockSpotify::builder().rate_limit(1).window(Duration::from_secs(10));
    let mock =
        builder.early_retries(EarlyRetryPolicy::Lengthen).frozen_clock().start().await.unwrap();
    let api = Api::new(mock);
    assert_eq!(api.get("/me").await.status, 200);
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(api.get("/me").await.header("retry-after").unwrap().to_owned());
    }
    assert_eq!(told, ["10", "15", "23"]);
    api.mock.advance(Duration::from_secs(23));
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn cover_uploads_can_have_a_separate_rate_limit() {
    let builder = MockSpotify::builder().operation_limit("upload-custom-playlist-cover", 1);
    let api = Api::new(builder.start().await.unwrap());
    let path = format!("/playlists/{}/images", api.mock.world().own_playlist);
    let upload = || {
        let request = api.http.put(format!("{}{path}", api.mock.api_url()));
        finish(
            request.bearer_auth(&api.token).header("content-type", "image/jpeg").body("/9j/4AAQ"),
        )
    };
    assert_eq!(upload().await.status, 202);
    let refused = upload().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn playlist_fields_selects_old_new_or_both_field_names() {
    for (fields, names, name) in [
        (PlaylistFields::New, vec!["items"], vec!["item"]),
        (PlaylistFields::Old, vec!["tracks"], vec!["track"]),
        (PlaylistFields::Both, vec!["items", "tracks"], vec!["item", "track"]),
    ] {
        let builder = MockSpotify::builder().playlist_fields(fields);
        let api = Api::new(builder.start().await.unwrap());
        let path = format!("/playlists/{}", api.mock.world().own_playlist);
        let full = api.read(&path).await;
        let listed = api.read("/me/playlists").await;
        for playlist in [&full, &listed["items"][0]] {
            let found = ["items", "tracks"].into_iter().filter(|name| playlist.get(name).is_some());
            assert_eq!(found.collect::<Vec<_>>(), names, "{fields:?}");
        }
        let entry = &full[names[0]]["items"][0];
        let found = ["item", "track"].into_iter().filter(|name| entry.get(name).is_some());
        assert_eq!(found.collect::<Vec<_>>(), name, "{fields:?}");
    }
}

#[tokio::test]
async fn an_injected_401_does_not_revoke_the_token() {
    let api = Api::new(MockSpotify::start().await.unwrap());
    api.mock.fail_next(Fault::unauthorized());
    assert_eq!(api.get("/me").await.status, 401);
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn the_home_page_shows_urls_and_ids_but_no_secrets() {
    let builder = MockSpotify::builder().app(App::new("<b>bold</b>"));
    let mock = builder.start().await.unwrap();
    let page = finish(http().get(mock.accounts_url())).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for text in [mock.api_url(), mock.client_id(), "get-an-album", "&lt;b&gt;bold&lt;/b&gt;"] {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(!page.text.contains(mock.client_secret()));
}

#[tokio::test]
async fn the_home_page_lists_operations_and_users_per_application() {
    let app = App::new("player").mode(Mode::Extended).redirect_uri("my-app://callback");
    let mock = MockSpotify::builder().app(app).start().await.unwrap();
    let url = format!("{}/", mock.accounts_url());
    let page = finish(http().get(&url)).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text;
    for expected in [
        "viewport",
        "color-scheme:light dark",
        "<code>my-app://callback</code>",
        &format!("<code>{}/authorize</code>", mock.accounts_url()),
        &format!(
            "curl -u {}:CLIENT_SECRET -d grant_type=client_credentials {}/api/token",
            mock.client_id(),
            mock.accounts_url()
        ),
        // Both applications may use `get-track`, and only `player` may use `get-several-tracks`.
        // `get-users-saved-tracks` requires a scope.
        "<code>/tracks/{id}</code><td>get-track<td>mock, player<td>",
        "<code>/tracks</code><td>get-several-tracks<td>player<td>",
        "get-users-saved-tracks<td>mock, player<td>user-library-read",
        // The page lists the users.
        "<code>mockuser</code><td>",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    let row = |user: &str| {
        let row = text.split("<tr>").find(|row| row.contains(&format!("<code>{user}</code>")));
        row.unwrap().split("<td>").last().unwrap().to_owned()
    };
    assert_eq!(row("mockuser"), "mock, player");
    assert!(row("tin_whistle").starts_with("player"), "{}", row("tin_whistle"));
    let head = finish(http().head(&url)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let icon = finish(http().get(format!("{}/favicon.ico", mock.accounts_url()))).await;
    assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/svg+xml")));
    assert!(mock.requests().iter().all(|request| request.path != "/favicon.ico"));
}
