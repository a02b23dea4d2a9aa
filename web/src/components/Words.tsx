import { useLocation } from "@tanstack/react-router";
import { NAVIGATION } from "../shell/entries";
import { useTexts } from "../texts";
import { pageOf } from "./commands";
import { TextLink } from "./TextLink";

/** Where nobody is signed in, no page can be opened. */
const OUTSIDE = ["/setup", "/sign-in"];
const ENTRIES = NAVIGATION.flatMap(({ entries }) => entries);

/**
 * A sentence of the server as people read it: with a capital, and what stands in backticks as code. The server speaks to everybody, also to
 * whoever is on the command line: here the page on which the same is done stands beside a command.
 */
export function Words({ text }: { text: string }) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const parts = sentence.split("`");
  return (
    <>
      {parts.map((part, index) => {
        // A backtick without its second one is one of the text's own.
        const code = index % 2 === 1 && index < parts.length - 1;
        const key = `${index} ${part}`;
        return code ? <Code key={key} code={part} /> : <span key={key}>{part}</span>;
      })}
    </>
  );
}

function Code({ code }: { code: string }) {
  const t = useTexts();
  const { pathname } = useLocation();
  const page = pageOf(code);
  const entry = ENTRIES.find(({ key }) => key === page);
  if (!entry || OUTSIDE.includes(pathname)) return <code>{code}</code>;
  return (
    <>
      <code>{code}</code> (
      <TextLink inline to={entry.to}>
        {t(`navigation.${entry.key}`)}
      </TextLink>
      )
    </>
  );
}
