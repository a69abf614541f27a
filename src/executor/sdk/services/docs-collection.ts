import { HostValue } from "../../../rhai/index.ts";
import * as store from "../../../services/docs/index.ts";
import { methodsOf } from "../define.ts";
import type { RunContext } from "../run-context.ts";
import { matchesPattern } from "../stateless/regex.ts";

/** What `docs::collection(name)` answers. */
export class DocsCollection extends HostValue {
  readonly typeName = "DocsCollection";
  readonly collection: string;
  constructor(collection: string) {
    super();
    this.collection = collection;
  }
}

export const method = methodsOf<DocsCollection>("DocsCollection");

export const placeOf = (run: RunContext, { collection }: DocsCollection): store.Collection => ({
  appId: run.appId,
  collection,
});

/** This worker's. Apps are kept apart by its keys. */
export const FINDING: store.Finding = { indexes: new store.IndexCache(), matchPattern: matchesPattern };
