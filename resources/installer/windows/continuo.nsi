; The installer for Windows: for one user, without an administrator.
;
;   makensis -DVERSION=0.1.0 -DBUNDLE=path/to/dist/Continuo -DICON=continuo.ico -DTERMS=terms.txt \
;     -DOUT=Continuo-0.1.0-setup.exe continuo.nsi
;
; `make dist` builds it on Windows; makensis runs on Linux, too. Silent: Continuo-0.1.0-setup.exe /S [/D=folder].
; Exit codes when silent: 0 done, 1 cancelled by the user, 2 a running Continuo is in the way.

Unicode true
ManifestDPIAware true
RequestExecutionLevel user
SetCompressor /SOLID lzma

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define NAME "Continuo"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define CLASSES "Software\Classes"

Name "${NAME}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "Software\${NAME}" "folder"
BrandingText "${NAME} ${VERSION}"

VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Plays on from your MIDI"
VIAddVersionKey LegalCopyright "2026 The Continuo authors. MIT licence."

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\continuo.exe"
!insertmacro MUI_PAGE_WELCOME
!define MUI_LICENSEPAGE_TEXT_BOTTOM "One of the bundled models, Continuo Concert, is not for commercial use."
!insertmacro MUI_PAGE_LICENSE "${TERMS}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English

; Windows keeps the files of a running program: a program that can be opened for writing does not run.
!macro REFUSE_WHILE_RUNNING WHICH
  ${If} ${FileExists} "$INSTDIR\${WHICH}"
    ClearErrors
    FileOpen $0 "$INSTDIR\${WHICH}" a
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONEXCLAMATION "${NAME} is running. Please save your work, close it, and try again." /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
    FileClose $0
  ${EndIf}
!macroend

Function .onVerifyInstDir
  ; A folder that is not empty and not ours would be mixed with ours.
  ${IfNot} ${FileExists} "$INSTDIR\continuo.exe"
  ${AndIf} ${FileExists} "$INSTDIR\*.*"
    ${DirState} "$INSTDIR" $0
    ${If} $0 == 1
      Abort
    ${EndIf}
  ${EndIf}
FunctionEnd

Section "${NAME}"
  !insertmacro REFUSE_WHILE_RUNNING continuo.exe
  !insertmacro REFUSE_WHILE_RUNNING continuo-cli.exe
  ; An older version's libraries must not be found by the new one.
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  File /r "${BUNDLE}\*"
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\continuo.exe"
  WriteRegStr HKCU "Software\${NAME}" "folder" "$INSTDIR"

  ; Sessions open with Continuo; MIDI files offer it, and keep the program they open with.
  WriteRegStr HKCU "${CLASSES}\Continuo.Session" "" "Continuo session"
  WriteRegStr HKCU "${CLASSES}\Continuo.Session\DefaultIcon" "" "$INSTDIR\continuo.exe,0"
  WriteRegStr HKCU "${CLASSES}\Continuo.Session\shell\open\command" "" '"$INSTDIR\continuo.exe" "%1"'
  WriteRegStr HKCU "${CLASSES}\.continuo" "" "Continuo.Session"
  WriteRegStr HKCU "${CLASSES}\Continuo.Midi" "" "MIDI file"
  WriteRegStr HKCU "${CLASSES}\Continuo.Midi\shell\open\command" "" '"$INSTDIR\continuo.exe" "%1"'
  WriteRegStr HKCU "${CLASSES}\.mid\OpenWithProgids" "Continuo.Midi" ""
  WriteRegStr HKCU "${CLASSES}\.midi\OpenWithProgids" "Continuo.Midi" ""
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\continuo.exe"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Continuo authors"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2  ; kilobytes
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" "$0"
SectionEnd

; Sessions, models, settings and the log lie in the user's own folders, which are not touched.
Section "Uninstall"
  !insertmacro REFUSE_WHILE_RUNNING continuo.exe
  !insertmacro REFUSE_WHILE_RUNNING continuo-cli.exe
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\continuo.exe"
  Delete "$INSTDIR\continuo-cli.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey HKCU "${CLASSES}\Continuo.Session"
  DeleteRegKey HKCU "${CLASSES}\Continuo.Midi"
  DeleteRegValue HKCU "${CLASSES}\.mid\OpenWithProgids" "Continuo.Midi"
  DeleteRegValue HKCU "${CLASSES}\.midi\OpenWithProgids" "Continuo.Midi"
  ReadRegStr $0 HKCU "${CLASSES}\.continuo" ""
  ${If} $0 == "Continuo.Session"
    DeleteRegKey HKCU "${CLASSES}\.continuo"
  ${EndIf}
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\${NAME}"
SectionEnd
