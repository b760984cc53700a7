//! Compressed responses.

use std::io::{ErrorKind, Read as _};

use bytes::{Buf as _, Bytes};
use flate2::bufread::MultiGzDecoder;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH},
};

use crate::{TransportError, TransportErrorKind};

/// Approximate maximum compression ratio of deflate (RFC 1951).
const MAX_RATIO: usize = 1032;

/// Requests a compressed response, unless the request already has an `Accept-Encoding`.
pub(crate) fn accept(headers: &mut HeaderMap) {
    headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
}

/// Decompresses a response if it is compressed with gzip. The body may have at most `max_body`
/// bytes.
pub(crate) fn decompress(
    mut answer: Response<Bytes>,
    max_body: usize,
) -> Result<Response<Bytes>, TransportError> {
    let encoding = answer.headers().get(CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"gzip")) {
        return Ok(answer);
    }
    // `Content-Encoding` and `Content-Length` describe the compressed body, so both are removed.
    answer.headers_mut().remove(CONTENT_ENCODING);
    answer.headers_mut().remove(CONTENT_LENGTH);
    let compressed = std::mem::take(answer.body_mut());
    if compressed.is_empty() {
        return Ok(answer);
    }
    let mut body = Vec::with_capacity(size(&compressed).min(max_body));
    let limit = u64::try_from(max_body).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(compressed.reader()).take(limit).read_to_end(&mut body);
    let is_success = answer.status().is_success();
    match read {
        Ok(_) if body.len() <= max_body => {}
        // For an error response, the beginning of the body is sufficient.
        Ok(_) | Err(_) if !is_success => body.truncate(max_body),
        Ok(_) => {
            let message = format!("the body has more than {max_body} bytes");
            return Err(TransportError::new(TransportErrorKind::BodyTooLarge, message));
        }
        Err(error) => {
            let kind = match error.kind() {
                ErrorKind::UnexpectedEof => TransportErrorKind::Reset,
                _ => TransportErrorKind::Other,
            };
            return Err(TransportError::new(kind, error));
        }
    }
    *answer.body_mut() = Bytes::from(body);
    Ok(answer)
}

/// Returns the uncompressed size from the last four bytes (RFC 1952), limited to a plausible value.
/// The size is only used to avoid reallocations.
fn size(compressed: &Bytes) -> usize {
    let size = compressed.last_chunk().map_or(0, |last| u32::from_le_bytes(*last));
    let most = compressed.len().saturating_mul(MAX_RATIO);
    usize::try_from(size).unwrap_or(usize::MAX).min(most)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use http::StatusCode;

    use super::*;

    fn compressed(body: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(body).unwrap();
        gzip.finish().unwrap()
    }

    fn answer(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
        let builder = Response::builder().status(status).header(CONTENT_ENCODING, "gzip");
        builder.header(CONTENT_LENGTH, body.len()).body(Bytes::from(body)).unwrap()
    }

    #[test]
    fn gzip_responses_are_decompressed() {
        let text = "the same words again ".repeat(1000);
        let mut packed = compressed(text.as_bytes());
        let plain = decompress(answer(StatusCode::OK, packed.clone()), 1 << 20).unwrap();
        assert_eq!(plain.body(), &text);
        assert!(plain.headers().is_empty());
        // A stream may have several members (RFC 1952, 2.2).
        packed.extend(compressed(b"and more"));
        let plain = decompress(answer(StatusCode::OK, packed), 1 << 20).unwrap();
        assert_eq!(plain.body(), &format!("{text}and more"));
    }

    #[test]
    fn uncompressed_and_empty_responses_are_unchanged() {
        let mut plain = answer(StatusCode::OK, b"{}".to_vec());
        plain.headers_mut().remove(CONTENT_ENCODING);
        assert_eq!(decompress(plain, 10).unwrap().body(), "{}");
        let empty = answer(StatusCode::NO_CONTENT, Vec::new());
        assert_eq!(decompress(empty, 10).unwrap().body(), "");
    }

    #[test]
    fn gzip_bombs_are_rejected_or_truncated() {
        let bomb = compressed(&vec![0; 1 << 20]);
        let error = decompress(answer(StatusCode::OK, bomb.clone()), 1000).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
        let refusal = decompress(answer(StatusCode::BAD_GATEWAY, bomb), 1000).unwrap();
        assert_eq!(refusal.body().len(), 1000);
    }

    #[test]
    fn truncated_gzip_and_invalid_gzip_give_different_errors() {
        let packed = compressed("bytes without repetitions: 0123456789".as_bytes());
        let half = packed[..packed.len() / 2].to_vec();
        let error = decompress(answer(StatusCode::OK, half), 1000).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Reset);
        let error = decompress(answer(StatusCode::OK, b"{\"a\":1}".repeat(4)), 1000).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Other);
    }

    #[test]
    fn an_explicit_accept_encoding_header_is_kept() {
        let mut headers = HeaderMap::new();
        accept(&mut headers);
        assert_eq!(headers[ACCEPT_ENCODING], "gzip");
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        accept(&mut headers);
        assert_eq!(headers[ACCEPT_ENCODING], "identity");
    }
}
