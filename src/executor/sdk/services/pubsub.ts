import { isTopic, publish } from "../../../services/events/index.ts";
import { service, type SdkNamespace } from "../define.ts";
import { any, text, type Param } from "../params.ts";
import { SdkError } from "../sdk-error.ts";
import { toStored } from "./stored.ts";

/** Bytes of a message as JSON. */
const MAX_MESSAGE = 256 * 1024;

const topic: Param<string> = {
  ...text("topic"),
  read: (value) => {
    const name = text("topic").read(value);
    if (!isTopic(name)) {
      throw new SdkError(
        'topic must be words of letters, digits, _ and -, joined by dots, such as "orders.paid"',
      );
    }
    return name;
  },
};

export const pubsub: SdkNamespace = {
  name: "pubsub",
  doc: "Messages by topic, to scripts that have a trigger for it.",
  functions: [
    service({
      name: "publish_durable",
      params: [topic, any("message")],
      returns: "()",
      doc:
        "Sends a message to the triggers whose pattern means the topic: `*`, `orders.*` or the topic itself. It is kept until " +
        "each of them has had it, and in a transaction sent only when that commits. Nobody there is no error.",
      example: { source: 'pubsub::publish_durable("orders.paid", #{ id: 7 })', result: "()" },
      errors: [
        {
          source: 'pubsub::publish_durable("orders..paid", 1)',
          message:
            'pubsub::publish_durable: topic must be words of letters, digits, _ and -, joined by dots, such as "orders.paid"',
        },
        {
          source: 'pubsub::publish_durable("orders", |x| x)',
          message:
            "pubsub::publish_durable: message cannot be stored: the value is of type Fn, which JSON cannot hold",
        },
      ],
      call: async (run, name, message) => {
        const json = toStored("message", message, MAX_MESSAGE);
        await run.write((sql, origin) => publish(sql, run.appId, name, json, origin));
      },
    }),
  ],
};
