import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { DeleteRegular, EditRegular, MoreHorizontalRegular, PeopleSettingsRegular, PersonArrowLeftRegular, PlayRegular, PulseRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { useRunBackup } from "./useRunBackup";

/** What can be done with one connector; what the person's roles do not allow is left out. */
export function RowMenu({ name, service, onRemove }: { name: string; service: string; onRemove: () => void }) {
  const t = useTexts("connectors");
  const navigate = useNavigate();
  const mayManage = useMay("manage-connectors");
  const mayRun = useMay("run-backups");
  const run = useRunBackup();
  const open = (search: Record<string, string>) => void navigate({ to: "/connectors/$name", params: { name }, search });
  if (!mayManage && !mayRun) return null;
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<MoreHorizontalRegular />} aria-label={t("row.menu", { name })} />
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          {mayManage && (
            <>
              <MenuItem icon={<EditRegular />} onClick={() => open({ tab: "settings" })}>
                {t("row.edit")}
              </MenuItem>
              {service === "microsoft-365" && (
                <MenuItem icon={<PeopleSettingsRegular />} onClick={() => open({ tab: "tenant" })}>
                  {t("tab.tenant")}
                </MenuItem>
              )}
              <MenuItem icon={<PulseRegular />} onClick={() => open({ tab: "checks", run: "now" })}>
                {t("row.test")}
              </MenuItem>
              <MenuItem icon={<PersonArrowLeftRegular />} onClick={() => void navigate({ to: "/connectors/$name/sign-in", params: { name } })}>
                {t("row.signIn")}
              </MenuItem>
            </>
          )}
          {mayRun && (
            <MenuItem icon={<PlayRegular />} disabled={run.isPending} onClick={() => run.mutate({ body: { connector: name } })}>
              {t("row.run")}
            </MenuItem>
          )}
          {mayManage && (
            <MenuItem icon={<DeleteRegular />} onClick={onRemove}>
              {t("row.remove")}
            </MenuItem>
          )}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
