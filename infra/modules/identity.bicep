// Who the app is. One user-assigned identity for all that it does: it exists before the app, so that every role is in
// place when the first function starts. Event Grid has another, which may write dead letters and nothing else.

@description('Region of the identities.')
param location string

@description('Tags of the identities.')
param tags object

@description('Last part of the names.')
param suffix string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-gallery-fanout-${suffix}'
  location: location
  tags: tags
}

resource events 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-gallery-fanout-events-${suffix}'
  location: location
  tags: tags
}

@description('Resource id of the identity of the app.')
output appId string = app.id

@description('Client id of the identity of the app: how it asks for tokens.')
output appClientId string = app.properties.clientId

@description('Object id of the identity of the app: who gets its roles.')
output appPrincipalId string = app.properties.principalId

@description('Resource id of the identity by which Event Grid writes dead letters.')
output eventsId string = events.id

@description('Object id of the identity by which Event Grid writes dead letters.')
output eventsPrincipalId string = events.properties.principalId
