@echo off
rem Puts the parts of a large Continuo archive together and unpacks them beside this file; tar is part of Windows 10.
setlocal
set "name=%~n0"
set "name=%name:-unpack=%"
cd /d "%~dp0"
copy /b "%name%.tar.xz.*" "%name%.tar.xz" >nul || exit /b 1
tar -xf "%name%.tar.xz" || exit /b 1
del "%name%.tar.xz"
echo Continuo is in %~dp0Continuo: start continuo.exe there.
