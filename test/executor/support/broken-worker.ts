/** A worker that dies while it loads. */
throw new Error("cannot load");
