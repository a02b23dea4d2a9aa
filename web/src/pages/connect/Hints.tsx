import { makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from "@fluentui/react-components";
import { OutLink } from "../../components/Outside";
import { useTexts } from "../../texts";
import { useMethods } from "./data";
import "./texts";

const useStyles = makeStyles({
  list: { margin: `${tokens.spacingVerticalXS} 0 0`, paddingLeft: "20px" },
});

/** What the server tells people before they sign in (K-05, K-06, XA-04). */
export function Hints({ service, abouts, title }: { service: string; abouts: readonly string[]; title?: string }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const hints = useMethods(service).data?.hints.filter(({ about }) => abouts.includes(about)) ?? [];
  if (hints.length === 0) return null;
  return (
    <MessageBar intent="info" layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{title ?? t("before.title")}</MessageBarTitle>
        <ul className={styles.list}>
          {hints.map(({ about, text, link }) => (
            <li key={about}>
              {text} {link && <OutLink to={link}>{t("checks.link")}</OutLink>}
            </li>
          ))}
        </ul>
      </MessageBarBody>
    </MessageBar>
  );
}
