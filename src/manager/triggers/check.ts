import { checked } from "../http/validation.ts";
import { kindNamed, type Kept, type TriggerKind } from "./kinds/index.ts";
import { createSchema, type CreateBody } from "./model.ts";

/**
 * What a body says that is to create a trigger.
 * @throws AppError 404 for what is no kind, 422 for a kind without a service and for what the kind does not accept
 */
export function checkTrigger(
  name: string,
  body: unknown,
): { readonly kind: TriggerKind; readonly body: CreateBody; readonly kept: Kept } {
  const kind = kindNamed(name);
  const accepted = checked(createSchema(kind), body) as CreateBody;
  return { kind, body: accepted, kept: kind.keep(accepted, new Date()) };
}
