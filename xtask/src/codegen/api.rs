//! The requests of `spot-api`: a type per call, and the methods that lead to it.

use std::{collections::BTreeSet, path::PathBuf};

use super::{camel, doc, file_doc, import, preamble};
use crate::{
    spec::{
        Access, Chunk, Domain, Error, Join, Op, Paging, PagingBy, Param, SendAs, Spec, UploadKind,
    },
    ty::{Ty, URI_GROUPS},
};

/// The types that examples mention, and where they come from: `model` is that of the crate at hand.
const EXAMPLE_NAMES: &[(&str, &str)] = &[
    ("std::time", "Duration"),
    ("model", "AlbumGroup"),
    ("model", "RepeatState"),
    ("model", "SearchKind"),
    ("model", "TimeRange"),
];

/// The `use` lines of examples: `model` is the path of the models, `more` is imported from there.
pub(super) fn example_imports(text: &str, model: &str, more: &[&str]) -> String {
    let names = |from: &str| -> Vec<String> {
        let used =
            EXAMPLE_NAMES.iter().filter(|(place, name)| *place == from && text.contains(name));
        used.map(|(_, name)| (*name).to_owned()).collect()
    };
    let own = names("std::time");
    let gap = if own.is_empty() { "" } else { "\n" };
    let models = names("model").into_iter().chain(more.iter().map(|name| (*name).to_owned()));
    import("std::time", own) + gap + &import(model, models)
}

pub(super) fn files(spec: &Spec) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut files = Vec::new();
    let mut modules = String::new();
    let mut exports = String::new();
    for domain in &spec.domains {
        if domain.op.is_empty() && domain.handle.is_empty() {
            continue;
        }
        let name = &domain.name;
        modules.push_str(&format!("mod {name};\n"));
        let names = domain.op.iter().map(|(op, _)| camel(op));
        let names = names.chain(domain.handle.values().map(|handle| handle.name.clone()));
        exports.push_str(&format!("pub {}", import(name, names)));
        files
            .push((format!("crates/spot-api/src/generated/{name}.rs").into(), file(spec, domain)?));
    }
    // The table of operations: nothing but words.
    modules.push_str("pub mod operations;\n");
    let root = format!(
        "{}{}\n{modules}\n{exports}",
        preamble("*.toml"),
        file_doc(&["What the spec makes: a request per call, and the methods that lead to it."]),
    );
    files.push(("crates/spot-api/src/generated/mod.rs".into(), root));
    Ok(files)
}

fn file(spec: &Spec, domain: &Domain) -> Result<String, Error> {
    let mut body = String::new();
    body.push_str(&client_methods(domain));
    for (name, handle) in &domain.handle {
        body.push_str(&format!(
            "\n{}#[derive(Clone, Debug)]\npub struct {} {{\n    client: Client,\n}}\n",
            doc("", &[&handle.doc]),
            handle.name
        ));
        body.push_str(&methods_of(spec, name, &handle.name, None));
    }
    for (name, op) in domain.op.iter() {
        body.push('\n');
        body.push_str(&request(spec, name, op).map_err(|error| format!("op.{name}: {error}"))?);
        body.push_str(&methods_of(spec, name, &camel(name), Some(op)));
    }
    let mut out = preamble(&format!("{}.toml", domain.name));
    out.push_str(&file_doc(&[&domain.doc]));
    out.push('\n');
    out.push_str(&imports(spec, &body));
    out.push_str(&body);
    Ok(out)
}

/// Names of the model that are in no spec.
const OF_MODEL: &[&str] = &["IntoId", "Operation", "ParseIdError"];

/// Types of the spec that are by hand in `spot-api`.
const OF_API: &[&str] = &["Fields", "PlaybackOffset", "SearchQuery"];

/// Names a file may need, by where they come from. What the text does not mention is left out.
fn imports(spec: &Spec, body: &str) -> String {
    let words: BTreeSet<&str> =
        body.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    let used = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| words.contains(**name)).map(|name| (*name).to_owned()).collect()
    };
    let own: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("pub struct "))
        .filter_map(|line| line.split([' ', '<', '(']).next())
        .collect();
    let mut code_words = BTreeSet::new();
    for line in body.lines().filter(|line| !line.trim_start().starts_with("///")) {
        code_words.extend(line.split(|char: char| !char.is_alphanumeric() && char != '_'));
    }
    let model: Vec<String> = code_words
        .iter()
        .filter(|word| OF_MODEL.contains(word) || spec.knows(word) && !OF_API.contains(word))
        .map(|word| (*word).to_owned())
        .collect();
    let requests: Vec<String> = code_words
        .iter()
        .filter(|word| is_request(word, body) && !own.contains(**word))
        .map(|word| (*word).to_owned())
        .collect();
    let mut out = String::new();
    out.push_str(&import("std::time", used(&["Duration"])));
    out.push('\n');
    out.push_str(&import("bytes", used(&["Bytes"])));
    out.push_str(&import("chrono", used(&["DateTime", "Utc"])));
    out.push_str(&import("serde", used(&["Deserialize"])));
    out.push_str(&import("spot_model", model));
    out.push('\n');
    let ours = [
        "Client",
        "Error",
        "Items",
        "Market",
        "PlaybackOffset",
        "Request",
        "Response",
        "SearchQuery",
        "Fields",
    ];
    let mut ours = used(&ours);
    ours.extend(requests);
    let input = [
        ("Attributes", words.contains("Attributes")),
        ("Body", words.contains("Body")),
        ("RequestExt", body.contains("Request::new")),
        ("awaitable", body.contains("awaitable!")),
    ];
    let input: Vec<&str> =
        input.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect();
    if !input.is_empty() {
        ours.push(format!("input::{{{}}}", input.join(", ")));
    }
    if body.contains("items::") {
        ours.push("items".to_owned());
    }
    if body.contains("chunks::") {
        ours.push("chunks".to_owned());
    }
    out.push_str(&import("crate", ours));
    out
}

/// Whether a word is the name of a request that the text makes.
fn is_request(word: &str, body: &str) -> bool {
    *word != *"Self" && body.contains(&format!("-> {word} {{\n"))
}

/// The methods of `Client` that this domain defines: its handles, and what stands on the client.
fn client_methods(domain: &Domain) -> String {
    let mut methods = String::new();
    for (name, handle) in &domain.handle {
        methods.push_str(&doc("    ", &[&handle.doc]));
        methods.push_str(&format!(
            "    pub fn {name}(&self) -> {ty} {{\n        {ty} {{ client: self.clone() }}\n    }}\n\n",
            ty = handle.name
        ));
    }
    for (name, op) in domain.op.iter().filter(|(_, op)| op.on == "client") {
        methods.push_str(&method(name, op, "self.clone()", &[]));
    }
    if methods.is_empty() { methods } else { format!("\nimpl Client {{\n{methods}}}\n") }
}

/// The methods of a handle, or of a request that is one, in the order of the spec.
fn methods_of(spec: &Spec, handle: &str, ty: &str, parent: Option<&Op>) -> String {
    let mut methods = String::new();
    for (name, op) in spec.ops().filter(|(_, op)| op.on == handle) {
        let given: Vec<&str> =
            parent.map(|parent| parent.path.iter().map(Param::rust).collect()).unwrap_or_default();
        methods.push_str(&method(name, op, "self.client.clone()", &given));
    }
    if methods.is_empty() { methods } else { format!("\nimpl {ty} {{\n{methods}}}\n") }
}

/// A method that makes a request: what is required is an argument.
fn method(name: &str, op: &Op, client: &str, given: &[&str]) -> String {
    let mut arguments = String::new();
    let mut fields = format!("            client: {client},\n");
    for (param, required) in op.params() {
        let field = param.rust();
        if given.contains(&field) && op.path.iter().any(|path| path.rust() == field) {
            fields.push_str(&format!("            {field}: self.{field}.clone(),\n"));
        } else if required {
            arguments.push_str(&format!(", {field}: {}", argument(&param.ty)));
            match stored_from(&param.ty, field) {
                value if value == field => fields.push_str(&format!("            {field},\n")),
                value => fields.push_str(&format!("            {field}: {value},\n")),
            }
        } else {
            let empty = if matches!(param.ty, Ty::List(_)) && !is_parsed(&param.ty) {
                "Vec::new()"
            } else {
                "None"
            };
            fields.push_str(&format!("            {field}: {empty},\n"));
        }
    }
    if let Some(upload) = &op.upload {
        arguments.push_str(&format!(", {}: impl Into<Bytes>", upload.name));
        fields.push_str(&format!("            {name}: {name}.into(),\n", name = upload.name));
    }
    if !op.attributes.is_empty() {
        fields.push_str("            attributes: Attributes::new(),\n");
    }
    for (field, _) in implied(op) {
        fields.push_str(&format!("            {field}: None,\n"));
    }
    let ty = camel(name);
    let call = format!("`{}`. See [`{ty}`].", op.route());
    let alias =
        if op.id == op.r#as { String::new() } else { format!("    #[doc(alias = {:?})]\n", op.id) };
    format!(
        "{}{alias}    pub fn {}(&self{arguments}) -> {ty} {{\n        {ty} {{\n{fields}        }}\n    }}\n\n",
        doc("    ", &[&op.doc, &call]),
        op.r#as,
    )
}

/// The fields a request has though the spec does not list them: market and paging.
fn implied(op: &Op) -> Vec<(&'static str, &'static str)> {
    let mut fields = Vec::new();
    if op.market {
        fields.push(("market", "Option<Market>"));
    }
    match op.paging.as_ref().map(|paging| paging.by) {
        Some(PagingBy::Offset | PagingBy::Search) => {
            fields.extend([("limit", "Option<u8>"), ("offset", "Option<u32>")])
        }
        Some(PagingBy::Cursor) => fields.push(("limit", "Option<u8>")),
        None => {}
    }
    fields
}

/// Whether the value is parsed from text, so that it may be wrong.
fn is_parsed(ty: &Ty) -> bool {
    match ty {
        Ty::Named(name) => ty.id().is_some() || URI_GROUPS.contains(&name.as_str()),
        Ty::List(inner) => is_parsed(inner),
        _ => false,
    }
}

fn argument(ty: &Ty) -> String {
    match ty {
        Ty::List(inner) if is_parsed(inner) => {
            format!("impl IntoIterator<Item = impl IntoId<{}>>", inner.rust())
        }
        Ty::List(inner) => match &**inner {
            Ty::Text => "impl IntoIterator<Item = impl Into<String>>".to_owned(),
            inner => format!("impl IntoIterator<Item = {}>", inner.rust()),
        },
        ty if is_parsed(ty) => format!("impl IntoId<{}>", ty.rust()),
        Ty::Text | Ty::Named(_) => format!("impl Into<{}>", ty.rust()),
        ty => ty.rust(),
    }
}

fn stored(ty: &Ty) -> String {
    if is_parsed(ty) { format!("Result<{}, ParseIdError>", ty.rust()) } else { ty.rust() }
}

fn stored_from(ty: &Ty, name: &str) -> String {
    match ty {
        Ty::List(inner) if is_parsed(inner) => {
            format!("{name}.into_iter().map(IntoId::into_id).collect()")
        }
        Ty::List(inner) if **inner == Ty::Text => {
            format!("{name}.into_iter().map(Into::into).collect()")
        }
        Ty::List(_) => format!("{name}.into_iter().collect()"),
        ty if is_parsed(ty) => format!("{name}.into_id()"),
        Ty::Text | Ty::Named(_) => format!("{name}.into()"),
        _ => name.to_owned(),
    }
}

fn request(spec: &Spec, name: &str, op: &Op) -> Result<String, Error> {
    let ty = camel(name);
    let returns = Ty::parse(&op.returns)?;
    let mut out = request_doc(op, &returns);
    out.push_str(&format!(
        "#[derive(Clone, Debug)]\n#[doc(alias = {:?})]\n\
         #[must_use = \"a request does nothing until it is awaited\"]\n\
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
        "}}\n\nimpl {ty} {{\n    /// What is known of the operation, as data.\n    \
         pub const OPERATION: &'static Operation = Operation::{};\n\n",
        name.to_uppercase()
    ));
    for (param, _) in op.params().filter(|(_, required)| !required) {
        out.push_str(&setter(op, param));
    }
    op.attributes.iter().for_each(|attribute| out.push_str(&attribute_setters(attribute)));
    out.push_str(&implied_setters(op));
    match &op.chunk {
        Some(chunk) => out.push_str(&chunked(spec, op, chunk, &returns)),
        None => out.push_str(&single(spec, op, &returns)),
    }
    out.push_str("}\n\n");
    let output = match &op.chunk {
        Some(chunk) => chunked_output(chunk.join, &returns),
        None => returns.rust(),
    };
    let future = if op.chunk.is_some() { "chunked " } else { "" };
    out.push_str(&format!("awaitable!({future}{ty} => {output});\n"));
    Ok(out)
}

fn chunked_output(join: Join, returns: &Ty) -> String {
    match join {
        Join::Unit | Join::Concat | Join::Replace => returns.rust(),
        Join::Position | Join::Snapshot => format!("Option<{}>", returns.rust()),
    }
}

fn request_doc(op: &Op, returns: &Ty) -> String {
    let mut paragraphs = vec![op.doc.clone()];
    // Where another operation steps in by itself, nobody is refused.
    let steps_in = op.chunk.as_ref().is_some_and(|chunk| chunk.single.is_some());
    let access = match op.access {
        _ if steps_in => String::new(),
        Access::Any => String::new(),
        Access::Extended => {
            " Development Mode applications are refused since 2026-02-11.".to_owned()
        }
        Access::Closed2024 => " Closed to applications registered since 2024-11-27.".to_owned(),
    };
    let scopes = match op.scopes.as_slice() {
        [] => "No scope is needed.".to_owned(),
        [scope] => format!("Scope: `{scope}`."),
        scopes => format!("Scopes, by content: `{}`.", scopes.join("`, `")),
    };
    paragraphs.push(format!("`{}` ([reference]). {scopes}{access}", op.route()));
    if let Some(replacement) = op.replacement.as_ref().filter(|_| !steps_in) {
        paragraphs.push(format!("Where it is closed: {replacement}."));
    }
    if let Some(Paging { max, default, by, .. }) = &op.paging {
        let all = match by {
            PagingBy::Offset => "[`items`](Self::items) streams all of them, several pages ahead",
            PagingBy::Cursor => "[`items`](Self::items) streams all of them, one page ahead",
            PagingBy::Search => "ask for one kind, such as [`tracks`](Self::tracks), to stream it",
        };
        paragraphs.push(format!(
            "Await it for one page of up to {max} (the API's own default is {default}); {all}."
        ));
    }
    if let Some(upload) = &op.upload {
        paragraphs.push(upload.doc.clone());
    }
    if let Some(chunk) = &op.chunk {
        let order = match chunk.join {
            Join::Concat if chunk.single.is_some() => {
                "In [Development Mode](crate::AccessMode::Development), which is the default, \
                 each id is a call of its own. The calls run side by side; the answers keep the order."
            }
            Join::Concat => "The calls run side by side; the answers keep the order.",
            _ => {
                "The calls run one after another; if one fails, \
                  [`Error::done`](crate::Error::done) says how many inputs were carried out."
            }
        };
        paragraphs.push(format!(
            "Any number may be given: a call takes {}, so that longer lists are several calls. \
             {order} An empty list is no call.",
            chunk.max
        ));
    }
    if matches!(returns, Ty::List(entry) if entry.is_optional()) {
        paragraphs.push("`None` stands where there is nothing by an id.".to_owned());
    }
    if returns.is_optional() {
        paragraphs.push("`None` if there is nothing to say (204).".to_owned());
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
    let value = stored_from(&param.ty, field);
    let list = matches!(param.ty, Ty::List(_)) && !is_parsed(&param.ty);
    let value = if list { value } else { format!("Some({value})") };
    let mut others = String::new();
    for other in &param.excludes {
        let other = op.query.iter().chain(&op.body).find(|param| param.name == *other);
        if let Some(other) = other {
            others.push_str(&format!("        self.{} = None;\n", other.rust()));
        }
    }
    format!(
        "{}    pub fn {field}(mut self, {field}: {}) -> Self {{\n        self.{field} = {value};\n{others}        self\n    }}\n\n",
        doc("    ", &[&param.doc]),
        argument(&param.ty)
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
        ("min", format!("Only tracks with at least this {what}.")),
        ("max", format!("Only tracks with at most this {what}.")),
        ("target", format!("Rather tracks close to this {what}.")),
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
            "{}    pub fn {name}(mut self, {name}: {argument}) -> Self {{\n        self.{name} = Some({value});\n        self\n    }}\n\n",
            doc("    ", &[text])
        )
    };
    if op.market {
        out.push_str(&set(
            "market",
            "impl Into<Market>",
            "market.into()",
            "The country whose catalogue is asked, instead of the client's own. With a user's \
             token the user's country wins.",
        ));
    }
    if let Some(paging) = &op.paging {
        out.push_str(&set(
            "limit",
            "u8",
            "limit",
            &format!("How many to a page, 1 to {}.", paging.max),
        ));
        if paging.by != PagingBy::Cursor {
            let end = paging
                .last_offset
                .map_or(String::new(), |last| format!(" The API takes none above {last}."));
            out.push_str(&set(
                "offset",
                "u32",
                "offset",
                &format!("How many to leave out before the first one.{end}"),
            ));
        }
    }
    out
}

/// Sending, streaming and the request as data, for a call that is one request.
fn single(spec: &Spec, op: &Op, returns: &Ty) -> String {
    let mut out = String::new();
    if let Some(paging) = op.paging.as_ref().filter(|paging| paging.by != PagingBy::Search) {
        out.push_str(&items(spec, op, paging, returns));
    }
    out.push_str(&format!(
        "    /// Sends the request: the answer with its status, headers and number of attempts.\n    \
         pub async fn send(self) -> Result<Response<{}>, Error> {{\n{}    }}\n\n",
        returns.rust(),
        send(op, returns)
    ));
    out.push_str("    /// The request as plain data, for a client of your own.\n");
    out.push_str("    pub fn into_request(self) -> Request {\n        self.request()\n    }\n\n");
    out.push_str("    fn request(&self) -> Request {\n");
    out.push_str(&build(op, None));
    out.push_str("    }\n");
    out
}

fn send(op: &Op, returns: &Ty) -> String {
    match (returns, &op.unwrap) {
        (Ty::Unit, _) => "        self.client.command(self.request()).await\n".to_owned(),
        (Ty::Optional(_), _) => {
            "        self.client.fetch_optional(self.request()).await\n".to_owned()
        }
        (returns, Some(field)) => format!(
            "        #[derive(Deserialize)]\n        struct Answer {{\n            {field}: {},\n        }}\n        \
             let answer = self.client.fetch::<Answer>(self.request()).await?;\n        \
             Ok(answer.map(|answer| answer.{field}))\n",
            returns.rust()
        ),
        _ => "        self.client.fetch(self.request()).await\n".to_owned(),
    }
}

fn items(spec: &Spec, op: &Op, paging: &Paging, returns: &Ty) -> String {
    // The page may be a field of the answer.
    let page = paging.page.as_deref().and_then(|page| {
        let Ty::Named(answer) = returns else { return None };
        spec.kind(answer)?.fields.iter().find(|field| field.name == page)
    });
    let fetch = "self.clone().limit(limit).offset(offset)";
    let fetch = match page {
        Some(page) => format!(
            "let request = {fetch};\n            \
             Box::pin(async move {{ Ok(request.await?.{}) }})",
            page.name
        ),
        None => format!("{fetch}.into_future()"),
    };
    let item = match page.map_or(returns, |page| &page.ty) {
        Ty::Page(item) => item.rust(),
        Ty::CursorPage(item) => format!("{}, {}", item.rust(), returns.rust()),
        other => other.rust(),
    };
    let max = paging.max;
    let (text, body) = match paging.by {
        PagingBy::Offset | PagingBy::Search => (
            "Streams all of them, from the offset on. The first page says how many there are; the \
             ones after it are asked for ahead of their use.",
            format!(
                "        let first = self.offset.unwrap_or(0);\n        \
                 let limit = self.limit.unwrap_or({max});\n        \
                 Items::by_offset(first{}, move |offset| {{\n            \
                 {fetch}\n        }})\n",
                paging.last_offset.map_or(", None".to_owned(), |last| format!(", Some({last})")),
            ),
        ),
        PagingBy::Cursor => {
            let cursor = paging.cursor.as_deref().unwrap_or("after");
            let parse = if cursor == "before" { "cursors.before" } else { "cursors.after" };
            let set = match op.query.iter().find(|param| param.name == cursor) {
                Some(Param { ty: Ty::UnixMillis, .. }) => "items::time_cursor(&cursor)",
                _ => "Some(cursor)",
            };
            (
                "Streams all of them, from the cursor on. Each page names the one after it, so \
                 that one page is asked for ahead of its use.",
                format!(
                    "        let limit = self.limit.unwrap_or({max});\n        \
                     Items::by_cursor(|page| page.{parse}.clone(), move |cursor| {{\n            \
                     let mut request = self.clone().limit(limit);\n            \
                     if let Some(cursor) = cursor {{\n                \
                     request.{cursor} = {set};\n            }}\n            \
                     request.into_future()\n        }})\n"
                ),
            )
        }
    };
    format!("{}    pub fn items(self) -> Items<{item}> {{\n{body}    }}\n\n", doc("    ", &[text]))
}

/// Sending for a call that is several requests if its list is long.
fn chunked(spec: &Spec, op: &Op, chunk: &Chunk, returns: &Ty) -> String {
    let Chunk { by, max, join, single } = chunk;
    let join = *join;
    let list = op.query.iter().chain(&op.body).find(|param| param.name == *by);
    let (field, item) = match list {
        Some(Param { ty: Ty::List(inner), .. }) => {
            (list.map_or("", |list| list.rust()), inner.rust())
        }
        _ => ("", String::new()),
    };
    let output = chunked_output(join, returns);
    let mut out = format!(
        "    /// How many one call takes.\n    pub const CHUNK: usize = {max};\n\n    \
         async fn run(self) -> Result<{output}, Error> {{\n"
    );
    if join == Join::Replace {
        out = format!(
            "    /// How many one call takes.\n    pub const CHUNK: usize = {max};\n\n    \
             async fn run(self) -> Result<{output}, Error> {{\n        self.replace_all().await\n    }}\n\n    \
             pub(crate) fn request(&self, {field}: &[{item}]) -> Request {{\n"
        );
        out.push_str(&build(op, Some((by, join))));
        out.push_str("    }\n");
        return out;
    }
    let answer = match (returns, &op.unwrap) {
        (Ty::Unit, _) => "chunks::Nothing".to_owned(),
        (_, Some(unwrap)) => {
            out.push_str(&format!(
                "        #[derive(Deserialize)]\n        struct Answer {{\n            {unwrap}: {},\n        }}\n",
                returns.rust()
            ));
            "Answer".to_owned()
        }
        _ => returns.rust(),
    };
    out.push_str(&format!(
        "        let {field} = chunks::parsed(Self::OPERATION, \"{by}\", &self.{field})?;\n"
    ));
    match join {
        Join::Unit => out.push_str(&format!(
            "        chunks::each(&self.client, &{field}, Self::CHUNK, |part| self.request(part)).await\n"
        )),
        Join::Concat => {
            if let Some((name, op)) = single.as_deref().and_then(|name| Some((name, spec.op(name)?)))
            {
                out.push_str(&one_by_one(name, op, field));
            }
            let entries = match &op.unwrap {
                Some(unwrap) => format!("|answer: Answer| answer.{unwrap}"),
                None => format!("|answer: {answer}| answer"),
            };
            out.push_str(&format!(
                "        chunks::concat(&self.client, &{field}, Self::CHUNK, |part| self.request(part), {entries}).await\n"
            ));
        }
        Join::Position => out.push_str(&format!(
            "        let sent = chunks::chain(&self.client, &{field}, Self::CHUNK, |part, done, _: Option<&{answer}>| {{\n            \
             self.request(part, done)\n        }}).await?;\n        Ok(sent.map(|answer| answer.{}))\n",
            op.unwrap.as_deref().unwrap_or_default()
        )),
        Join::Snapshot => out.push_str(&format!(
            "        let sent = chunks::chain(&self.client, &{field}, Self::CHUNK, |part, _, last: Option<&{answer}>| {{\n            \
             let snapshot = last.map(|last| &last.{unwrap});\n            \
             self.request(part, snapshot)\n        }}).await?;\n        \
             Ok(sent.map(|answer| answer.{unwrap}))\n",
            unwrap = op.unwrap.as_deref().unwrap_or_default()
        )),
        // Left above.
        Join::Replace => {}
    }
    out.push_str("    }\n\n");
    let more = match join {
        Join::Unit | Join::Concat | Join::Replace => "",
        Join::Position => ", done: usize",
        Join::Snapshot => ", snapshot_id: Option<&SnapshotId>",
    };
    out.push_str(&format!("    fn request(&self, {field}: &[{item}]{more}) -> Request {{\n"));
    out.push_str(&build(op, Some((by, join))));
    out.push_str("    }\n");
    out
}

/// Reading one by one, for applications to which reading many is closed.
fn one_by_one(name: &str, op: &Op, ids: &str) -> String {
    let id = op.path.first().map_or("id", |id| id.rust());
    let market = if op.market { ", market: self.market.clone()" } else { "" };
    format!(
        "        if !self.client.is_extended() {{\n            \
         return chunks::one_by_one(&self.client, &{ids}, |id| {{\n                \
         {} {{ client: self.client.clone(), {id}: Ok(*id){market} }}.request()\n            \
         }}).await;\n        }}\n",
        camel(name)
    )
}

/// The body of `request`: parameters in the order of the spec.
fn build(op: &Op, chunk: Option<(&str, Join)>) -> String {
    let mut out = String::from("        Request::new(Self::OPERATION)\n");
    let chunk_by = chunk.map(|(by, _)| by);
    for param in op.path.iter().filter(|param| param.constant.is_none()) {
        let call = if is_parsed(&param.ty) { "path_id" } else { "path" };
        out.push_str(&format!("            .{call}(\"{}\", &self.{})\n", param.name, param.rust()));
    }
    for param in &op.query {
        out.push_str(&format!("            {}\n", query(param, chunk_by == Some(&param.name))));
    }
    if !op.attributes.is_empty() {
        out.push_str("            .attributes(&self.attributes)\n");
    }
    if op.market {
        out.push_str("            .market(self.client.market(), self.market.as_ref())\n");
    }
    if let Some(paging) = &op.paging {
        out.push_str("            .limit(self.limit)\n");
        if paging.by != PagingBy::Cursor {
            out.push_str("            .query_opt(\"offset\", self.offset)\n");
        }
    }
    if let Some(upload) = &op.upload {
        let UploadKind::Jpeg = upload.kind;
        out.push_str(&format!(
            "            .jpeg(\"{0}\", &self.{0}, {1})\n",
            upload.name, upload.max
        ));
    }
    if !op.body.is_empty() {
        out.push_str("            .body_fields(Body::new()");
        for param in &op.body {
            out.push_str(&body_field(param, chunk));
        }
        out.push_str(")\n");
    }
    out
}

fn query(param: &Param, is_chunk: bool) -> String {
    let Param { name, .. } = param;
    let field = param.rust();
    if let Some(constant) = &param.constant {
        return format!(".query(\"{name}\", {constant:?})");
    }
    if param.ty == Ty::Named("Fields".to_owned()) {
        let call = if param.send == Some(SendAs::Page) { "page_fields" } else { "fields" };
        return format!(".{call}(\"{name}\", self.{field}.as_ref())");
    }
    if param.ty == Ty::Named("SearchQuery".to_owned()) {
        return format!(".search_query(\"{name}\", &self.{field})");
    }
    if is_chunk {
        return format!(".query_list(\"{name}\", {field})");
    }
    let value = match (&param.ty, param.required) {
        (Ty::List(kind), _) if param.send == Some(SendAs::All) => {
            return format!(".query_list_or(\"{name}\", &self.{field}, {}::ALL)", kind.rust());
        }
        (Ty::List(kind), false) if is_parsed(kind) => {
            return format!(".query_ids(\"{name}\", self.{field}.as_ref())");
        }
        (Ty::List(_), _) => return format!(".query_list(\"{name}\", &self.{field})"),
        (ty, true) if is_parsed(ty) => {
            return format!(".query_id(\"{name}\", Some(&self.{field}))");
        }
        (ty, false) if is_parsed(ty) => {
            return format!(".query_id(\"{name}\", self.{field}.as_ref())");
        }
        (Ty::Duration, true) => return format!(".query(\"{name}\", self.{field}.as_millis())"),
        (Ty::Duration, false) => format!("self.{field}.map(|{field}| {field}.as_millis())"),
        (Ty::UnixMillis, _) => format!("self.{field}.map(|{field}| {field}.timestamp_millis())"),
        (ty, true) if is_copied(ty) => return format!(".query(\"{name}\", self.{field})"),
        (ty, false) if is_copied(ty) => format!("self.{field}"),
        (_, true) => return format!(".query(\"{name}\", &self.{field})"),
        (_, false) => format!("self.{field}.as_ref()"),
    };
    format!(".query_opt(\"{name}\", {value})")
}

/// Whether a value is better copied than borrowed.
fn is_copied(ty: &Ty) -> bool {
    matches!(ty, Ty::Bool | Ty::Int(_) | Ty::Float(_))
}

fn body_field(param: &Param, chunk: Option<(&str, Join)>) -> String {
    let Param { name, .. } = param;
    let field = param.rust();
    if param.send == Some(SendAs::List) {
        return format!(".id_list(\"{name}\", &self.{field})");
    }
    if let Some((by, join)) = chunk {
        if by == name {
            return match param.send {
                Some(SendAs::Objects) => format!(".uri_objects(\"{name}\", {field})"),
                _ => format!(".field(\"{name}\", {field})"),
            };
        }
        if param.send == Some(SendAs::Timestamped) {
            return format!(".timestamped(\"{name}\", {by}, self.{field}.as_ref())");
        }
        if join == Join::Position && name == "position" {
            return format!(".optional(\"{name}\", chunks::position(self.{field}, done))");
        }
        if join == Join::Snapshot && name == "snapshot_id" {
            return format!(".snapshot(\"{name}\", {field}, self.{field}.as_ref())");
        }
    }
    match (&param.ty, param.required) {
        (ty, true) if is_parsed(ty) => format!(".id(\"{name}\", Some(&self.{field}))"),
        (ty, false) if is_parsed(ty) => format!(".id(\"{name}\", self.{field}.as_ref())"),
        (Ty::Duration, _) => {
            format!(".optional(\"{name}\", self.{field}.map(|{field}| {field}.as_millis()))")
        }
        (_, true) => format!(".field(\"{name}\", &self.{field})"),
        (_, false) => format!(".optional(\"{name}\", self.{field}.as_ref())"),
    }
}
