import { Type, type Static } from "@sinclair/typebox";
import { strict } from "../http/module.ts";

export const AppRole = Type.Union([
  Type.Literal("app_admin"),
  Type.Literal("editor"),
  Type.Literal("viewer"),
]);

const APP_FIELDS = {
  id: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  description: Type.String(),
  /** Nothing of it runs, and its events wait. */
  paused: Type.Boolean(),
  /** When that ends; null: it is not paused, or until somebody resumes it. */
  paused_until: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
  updated_at: Type.String(),
};

export const AppDTO = strict(APP_FIELDS);
export type AppDTO = Static<typeof AppDTO>;

/** A single app, with the caller's effective role in it. */
export const AppWithRole = strict({ ...APP_FIELDS, my_role: AppRole });
export type AppWithRole = Static<typeof AppWithRole>;

const Slug = Type.String({
  pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
  description: "1 to 63 lower-case letters, digits and hyphens, the first of them no hyphen",
});
const Name = Type.String({ minLength: 1, maxLength: 128 });
const Description = Type.String({ maxLength: 4096 });

const ForceTakeover = Type.Boolean({
  description: "true takes a slug over that another app had before; its old links then lead here",
});

export const CreateApp = strict({
  slug: Slug,
  name: Name,
  description: Type.Optional(Description),
  force_takeover: Type.Optional(ForceTakeover),
});
export type CreateApp = Static<typeof CreateApp>;

/** Until when an app is paused. */
const Until = (nothing: string) =>
  Type.Union([Type.String({ maxLength: 40 }), Type.Null()], {
    description: `when the app resumes by itself, as RFC 3339, or null: ${nothing}`,
  });

export const UpdateApp = strict({
  slug: Type.Optional(Slug),
  name: Type.Optional(Name),
  description: Type.Optional(Description),
  paused_until: Type.Optional(Until("now")),
  force_takeover: Type.Optional(ForceTakeover),
});
export type UpdateApp = Static<typeof UpdateApp>;

export const PauseApp = strict({
  until: Type.Optional(Until("when somebody resumes it")),
});
export type PauseApp = Static<typeof PauseApp>;

export const CheckSlug = strict({ slug: Type.String({ maxLength: 256 }) });

/** Whether an app could have a slug. `historic_owner`: the slug of the app that had it before, if the caller sees it. */
export const SlugAnswer = strict({
  available: Type.Boolean(),
  reason: Type.Optional(
    Type.Union([
      Type.Literal("malformed"),
      Type.Literal("reserved"),
      Type.Literal("taken"),
      Type.Literal("historic"),
    ]),
  ),
  historic_owner: Type.Optional(Type.String()),
});
export type SlugAnswer = Static<typeof SlugAnswer>;

export const AppPath = Type.Object({ app: Type.String({ description: "the app's id or slug" }) });

export const DeleteAppQuery = strict({
  force: Type.Optional(Type.Boolean({ description: "true or false" })),
});
