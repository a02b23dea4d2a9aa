/** A sentence of the server as people read it: with a capital, and what stands in backticks as code. */
export function Words({ text }: { text: string }) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const parts = sentence.split("`");
  return (
    <>
      {parts.map((part, index) => {
        // A backtick without its second one is one of the text's own.
        const code = index % 2 === 1 && index < parts.length - 1;
        const key = `${index} ${part}`;
        return code ? <code key={key}>{part}</code> : <span key={key}>{part}</span>;
      })}
    </>
  );
}
