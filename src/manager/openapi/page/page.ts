import type { OpenApiDocument } from "../document.ts";
import type { Operation, Parameter, Response } from "../operations.ts";
import type { JsonSchema } from "../schema.ts";
import { curlExample } from "./example.ts";
import { html, type Markup } from "./markup.ts";
import { constraints, schemaText } from "./schema-text.ts";

/** Where the page and what it loads are served. */
export const DOCS = {
  page: "/api/v1/docs",
  style: "/api/v1/docs/style.css",
  script: "/api/v1/docs/search.js",
} as const;

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The document as a page that needs nothing from elsewhere and works without JavaScript, but for the search. */
export function docsPage(document: OpenApiDocument): string {
  const resolve = (ref: string): JsonSchema =>
    document.components.schemas[ref.slice(ref.lastIndexOf("/") + 1)] ?? {};
  const entries = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Entry => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const tags = document.tags.map(({ name }) => ({
    name,
    entries: entries.filter(({ operation }) => operation.tags.includes(name)),
  }));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>PiCloud API</title>
        <link rel="stylesheet" href="${DOCS.style}" />
        <script src="${DOCS.script}" defer></script>
      </head>
      <body>
        <header>
          <h1>PiCloud API <small>${String(document.info["version"])}</small></h1>
          ${prose(String(document.info["description"]))}
          <p><a href="/api/v1/openapi.json">openapi.json</a> is the same for programs.</p>
          <form role="search" hidden>
            <label for="search">Search</label>
            <input
              id="search"
              type="search"
              autocomplete="off"
              placeholder="method, path or words (press /)"
            />
            <output id="found" for="search"></output>
          </form>
          <nav aria-label="Groups">
            ${tags.map(({ name }) => html`<a href="#${name}">${name}</a> `)}<a href="#schemas">schemas</a>
          </nav>
        </header>
        <main>
          ${tags.map(
            (tag) =>
              html`<section class="tag" aria-labelledby="${tag.name}">
                <h2 id="${tag.name}">${tag.name}</h2>
                ${tag.entries.map((entry) => operationMarkup(entry, resolve))}
              </section> `,
          )}
          <section aria-labelledby="schemas">
            <h2 id="schemas">schemas</h2>
            ${Object.entries(document.components.schemas).map(
              ([name, schema]) =>
                html`<details id="schema-${name}">
                  <summary><code>${name}</code></summary>
                  <pre tabindex="0">${schemaText(schema)}</pre>
                </details> `,
            )}
          </section>
        </main>
      </body>
    </html> `.text;
}

function operationMarkup({ method, path, operation }: Entry, resolve: (ref: string) => JsonSchema): Markup {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const answers = Object.entries(responses);
  const good = answers.filter(([status]) => Number(status) < 400);
  const bad = answers.filter(([status]) => Number(status) >= 400);
  return html`<details class="operation" id="${operationId}">
    <summary>
      <span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code>
      <span>${summary}</span>
    </summary>
    ${description === undefined ? null : prose(description)}
    ${
      parameters.length === 0
        ? null
        : html`<h3>Parameters</h3>
            <dl>${parameters.map(parameterMarkup)}</dl>`
    }
    ${
      requestBody === undefined
        ? null
        : html`<h3>Body${requestBody.required ? "" : " (optional)"}</h3>
            ${Object.entries(requestBody.content).map(
              ([type, { schema }]) =>
                html`<h4>${type}</h4>
                  <pre tabindex="0">${schemaText(schema)}</pre>`,
            )}`
    }
    <h3>Answers</h3>
    <dl>${good.map(([status, response]) => responseMarkup(status, response))}</dl>
    ${bad.length === 0 ? null : failures(bad)}
    <h3>Example</h3>
    <pre tabindex="0">${curlExample(method, path, operation, resolve)}</pre>
  </details> `;
}

const failures = (answers: readonly (readonly [string, Response])[]): Markup =>
  html`<p>
    ${schemaText({ $ref: "#/components/schemas/Problem" })}:
    ${answers.map(([status, { description }]) => `${status} ${description}`).join(", ")}.
  </p>`;

const parameterMarkup = (parameter: Parameter): Markup =>
  html`<dt>
      <code>${parameter.name}</code>
      <small>${parameter.in}${parameter.required === true ? ", required" : ""}</small>
    </dt>
    <dd>
      <code>${schemaText(parameter.schema)}</code> ${parameter.description ?? constraints(parameter.schema)}
    </dd>`;

function responseMarkup(status: string, { description, headers = {}, content = {} }: Response): Markup {
  const names = Object.keys(headers).filter((name) => name !== "X-Request-Id");
  return html`<dt>
      <code>${status}</code> ${description}${names.length > 0 ? ` (with ${names.join(", ")})` : ""}
    </dt>
    <dd>
      ${Object.entries(content).map(
        ([type, { schema }]) =>
          html`<small>${type}</small>
            <pre tabindex="0">${schemaText(schema)}</pre>`,
      )}
    </dd>`;
}

/** Paragraphs; what stands between backticks is code. */
const prose = (text: string): Markup[] =>
  text.split("\n\n").map((paragraph) => {
    const parts = paragraph
      .split("`")
      .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
    return html`<p>${parts}</p>`;
  });
