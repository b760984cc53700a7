//! Generates the type of a request: docs, fields and setters.

use crate::{
    codegen::{
        api::{
            imports::example_imports,
            params::{implied, is_parsed, optional_argument, stored},
            send::{chunked, sent, single},
        },
        camel, doc,
    },
    spec::{Access, Error, Join, Op, PagingBy, Param, Spec},
    ty::Ty,
};

pub(super) fn request(spec: &Spec, name: &str, op: &Op) -> Result<String, Error> {
    let ty = camel(name);
    let returns = Ty::parse(&op.returns)?;
    let mut out = request_doc(op, &returns);
    out.push_str(&format!(
        "#[derive(Clone, Debug)]\n#[doc(alias = {:?})]\n\
         #[must_use = \"a request does nothing until it is awaited; to pass the request as a future, call `.into_future()`\"]\n\
         pub struct {ty} {{\n    pub(crate) client: Client,\n",
        op.id
    ));
    for (param, required) in op.params() {
        let list = matches!(param.ty, Ty::List(_)) && !is_parsed(&param.ty);
        let held = stored(&param.ty);
        let held = if required || list { held } else { format!("Option<{held}>") };
        out.push_str(&format!("    pub(crate) {}: {held},\n", param.rust()));
    }
    if let Some(upload) = &op.upload {
        out.push_str(&format!("    pub(crate) {}: Bytes,\n", upload.name));
    }
    if !op.attributes.is_empty() {
        out.push_str("    pub(crate) attributes: Attributes,\n");
    }
    for (field, held) in implied(op) {
        out.push_str(&format!("    pub(crate) {field}: {held},\n"));
    }
    out.push_str(&format!(
        "}}\n\nimpl {ty} {{\n    /// Operation metadata.\n    \
         pub const OPERATION: &'static Operation = Operation::{};\n\n",
        name.to_uppercase()
    ));
    for (param, _) in op.params().filter(|(_, required)| !required) {
        out.push_str(&setter(op, param));
    }
    op.attributes.iter().for_each(|attribute| out.push_str(&attribute_setters(attribute)));
    out.push_str(&implied_setters(op));
    match &op.chunk {
        Some(chunk) => out.push_str(&chunked(spec, op, chunk)),
        None => out.push_str(&single(op, &returns)),
    }
    out.push_str("}\n\n");
    out.push_str(&sent(&ty, op, &returns));
    Ok(out)
}

fn request_doc(op: &Op, returns: &Ty) -> String {
    let mut paragraphs = vec![op.doc.clone()];
    // If the SDK can fall back to another operation, every application can use the call.
    let steps_in = op.chunk.as_ref().is_some_and(|chunk| chunk.single.is_some());
    let access = match op.access {
        _ if steps_in => String::new(),
        Access::Any => String::new(),
        Access::Extended => " Not available in Development Mode since 2026-02-11.".to_owned(),
        Access::Closed2024 => {
            " Not available to applications registered since 2024-11-27.".to_owned()
        }
    };
    let scopes = match op.scopes.as_slice() {
        [] => "Needs no scope.".to_owned(),
        [scope] => format!("Needs the scope `{scope}`."),
        [scopes @ .., last] => format!(
            "The scopes `{}` and `{last}` are sufficient for every request of this type. Some \
             requests of this type do not need all of these scopes.",
            scopes.join("`, `")
        ),
    };
    paragraphs.push(format!("`{}` ([reference]). {scopes}{access}", op.route()));
    if let Some(replacement) = op.replacement.as_ref().filter(|_| !steps_in) {
        paragraphs.push(format!("The replacement for this operation is {replacement}."));
    }
    if let Some(paging) = &op.paging {
        let all = match paging.by {
            PagingBy::Offset => "[`stream`](Self::stream) yields all entries and prefetches pages.",
            PagingBy::Cursor => {
                "[`stream`](Self::stream) yields all entries and prefetches the next page."
            }
            PagingBy::Search => {
                "To stream the results, search for one kind of item, for example with \
                 [`tracks`](Self::tracks)."
            }
        };
        let page = match paging.by {
            PagingBy::Search => "one page for each requested kind of item",
            PagingBy::Offset | PagingBy::Cursor => "one page",
        };
        paragraphs.push(format!(
            "`.await` returns {page}. The default page size is {}. {all}",
            paging.default
        ));
    }
    if let Some(upload) = &op.upload {
        paragraphs.push(upload.doc.clone());
    }
    if let Some(chunk) = &op.chunk {
        let order = match chunk.join {
            Join::Concat => {
                "The requests run in parallel. The results are in the order of the list."
            }
            _ => {
                "The requests run one after another. If a request fails, \
                 [`Error::done`](crate::Error::done) returns how many entries Spotify processed \
                 before the failure."
            }
        };
        let single = match chunk.single {
            Some(_) => {
                " In [Development Mode](crate::AccessMode::Development) (the default), one request \
                 is sent for each id."
            }
            None => "",
        };
        let empty = match chunk.join {
            Join::Replace => "If the list is empty, one request removes all items.",
            _ => "If the list is empty, no request is sent.",
        };
        paragraphs.push(format!(
            "The list can have any length. A list of more than {} entries is split into several \
             requests.{single} {order} {empty}",
            chunk.max
        ));
    }
    if matches!(returns, Ty::List(entry) if entry.is_optional()) {
        paragraphs.push("Unknown ids yield `None`.".to_owned());
    }
    if returns.is_optional() {
        paragraphs
            .push("Returns `None` if Spotify responds without content (status 204).".to_owned());
    }
    paragraphs.extend(op.notes.iter().cloned());
    let uses = example_imports(&op.example, "spot_api::model", &[]);
    let uses = if uses.is_empty() { uses } else { uses.trim_end().to_owned() + "\n\n" };
    let result = if op.result == "()" { String::new() } else { format!("let {} = ", op.result) };
    paragraphs.push(format!(
        "```no_run\n{uses}# async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {{\n\
         {result}{}.await?;\n# Ok(()) }}\n```",
        op.example
    ));
    paragraphs.push(format!(
        "[reference]: https://developer.spotify.com/documentation/web-api/reference/{}",
        op.id
    ));
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    doc("", &paragraphs)
}

fn setter(op: &Op, param: &Param) -> String {
    let field = param.rust();
    let (argument, value) = optional_argument(&param.ty, field);
    let mut others = String::new();
    for other in &param.excludes {
        let other = op.query.iter().chain(&op.body).find(|param| param.name == *other);
        if let Some(other) = other {
            others.push_str(&format!("            self.{} = None;\n", other.rust()));
        }
    }
    if !others.is_empty() {
        others = format!("        if self.{field}.is_some() {{\n{others}        }}\n");
    }
    format!(
        "{}    pub fn {field}(mut self, {field}: {argument}) -> Self {{\n        self.{field} = {value};\n{others}        self\n    }}\n\n",
        doc("    ", &[&param.doc]),
    )
}

/// The three setters of an attribute.
fn attribute_setters(attribute: &Param) -> String {
    let Param { name, ty, doc: what, .. } = attribute;
    let field = attribute.rust();
    let value = match ty {
        Ty::Duration => format!("{field}.as_millis()"),
        _ => field.to_owned(),
    };
    let setters = [
        ("min", format!("Returns only tracks with at least this {what}.")),
        ("max", format!("Returns only tracks with at most this {what}.")),
        ("target", format!("Prefers tracks close to this {what}.")),
    ];
    let setters = setters.map(|(which, text)| {
        format!(
            "{}    pub fn {which}_{field}(mut self, {field}: {}) -> Self {{\n        \
             self.attributes.set(\"{which}_{name}\", {value});\n        self\n    }}\n\n",
            doc("    ", &[&text]),
            ty.rust()
        )
    });
    setters.concat()
}

fn implied_setters(op: &Op) -> String {
    let mut out = String::new();
    let set = |name: &str, argument: &str, value: &str, text: &str| {
        format!(
            "{}    pub fn {name}(mut self, {name}: {argument}) -> Self {{\n        self.{name} = {value};\n        self\n    }}\n\n",
            doc("    ", &[text])
        )
    };
    if op.market {
        out.push_str(&set(
            "market",
            "impl Optional<Market>",
            "market.into_optional()",
            "Market to query. Default: the market of the client. If the token belongs to a \
             user, Spotify ignores the market and uses the country of the user.",
        ));
    }
    if let Some(paging) = &op.paging {
        let extended = paging.extended_max.map_or(String::new(), |max| {
            format!(" In [Extended Quota Mode](crate::AccessMode::Extended), the maximum is {max}.")
        });
        out.push_str(&set(
            "limit",
            "impl Into<Option<u8>>",
            "limit.into()",
            &format!("Page size, 1 to {}.{extended}", paging.max),
        ));
        if paging.by != PagingBy::Cursor {
            let end =
                paging.last_offset.map_or(String::new(), |last| format!(" The maximum is {last}."));
            out.push_str(&set(
                "offset",
                "impl Into<Option<u32>>",
                "offset.into()",
                &format!("Index of the first entry.{end}"),
            ));
        }
    }
    out
}
