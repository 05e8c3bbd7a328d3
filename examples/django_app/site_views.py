"""Views and their addresses: leads as JSON, with the rights of the user who is signed in."""

from __future__ import annotations

import json

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from site_crm import actor_for, crm

from gigacore import GigaError, records


@csrf_exempt
def sign_in(request: HttpRequest) -> HttpResponse:
    """POST name and password, as a site's own form would."""
    user = authenticate(request, username=request.POST.get("name"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"detail": "Name or password is wrong."}, status=401)
    login(request, user)
    return HttpResponse(status=204)


@csrf_exempt
def leads(request: HttpRequest) -> HttpResponse:
    """GET lists, POST creates."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "Please sign in."}, status=401)
    try:
        return _create(request) if request.method == "POST" else _list(request)
    except GigaError as error:
        return JsonResponse({"detail": str(error.message)}, status=error.status)


def _list(request: HttpRequest) -> HttpResponse:
    with crm().read(actor_for(request.user)) as ctx:
        page = records.page(ctx, "crm.lead", records.ListRequest(fields=("name", "status")))
    return JsonResponse({"items": page.items})


def _create(request: HttpRequest) -> HttpResponse:
    with crm().unit_of_work(actor_for(request.user)) as ctx:
        return JsonResponse({"id": records.create(ctx, "crm.lead", json.loads(request.body)).id}, status=201)


urlpatterns = [path("sign-in", sign_in), path("leads", leads)]
