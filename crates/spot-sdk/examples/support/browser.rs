//! A simulated browser of a user, for the examples of web services.

use std::error::Error as StdError;

use spot::net::{ReqwestTransport, Transport};
use url::Url;

/// Follows redirects as a browser does, and returns the body of the last page.
pub(crate) async fn browse(mut address: String) -> Result<String, Box<dyn StdError + Send + Sync>> {
    let browser = ReqwestTransport::builder().no_proxy().build()?;
    loop {
        let page = browser.send(http::Request::get(&*address).body(Default::default())?).await?;
        match page.headers().get(http::header::LOCATION) {
            Some(next) => address = next.to_str()?.to_owned(),
            None => return Ok(String::from_utf8_lossy(page.body()).into_owned()),
        }
    }
}

/// Returns the address of a user's page. `account` may contain any character.
pub(crate) fn page_of(
    home: &str,
    page: &str,
    account: &str,
) -> Result<String, Box<dyn StdError + Send + Sync>> {
    let mut address = Url::parse(home)?;
    address.path_segments_mut().map_err(|()| "no path")?.extend([page, account]);
    Ok(address.into())
}
