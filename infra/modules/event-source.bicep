// Events of one source, to the function image_event. Event Grid forgets what it could not deliver, unless it has a place
// for dead letters: it writes them as an identity of its own, because the storage account takes no keys.

@description('Tags of the system topic.')
param tags object

@description('Last part of the names.')
param suffix string

@description('Resource id of the subscription or resource group whose events are listened to.')
param sourceId string

@description('Which of the two it is, in Event Grid\'s words.')
@allowed([
  'Microsoft.Resources.Subscriptions'
  'Microsoft.Resources.ResourceGroups'
])
param topicType string

@description('Resource id of the function app.')
param functionAppId string

@description('Resource id of the storage account of dead letters.')
param storageAccountId string

@description('Name of the container of dead letters.')
param deadLetterContainerName string

@description('Resource id of the identity that may write there.')
param identityId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'gallery-fanout-${suffix}-${uniqueString(sourceId)}'
  location: 'global'
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    source: sourceId
    topicType: topicType
  }
}

// Event Grid delivers to a function with that function's own key, which it fetches itself: an identity for the way to
// it is not to be had, and no key is in here. One event at a time: one that fails would fail the others with it.
resource imageEvent 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'image-event-${suffix}'
  properties: {
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${functionAppId}/functions/image_event'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceWriteFailure'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      // Event Grid compares without letter case. Galleries are not named here: the app drops what is not in GALLERIES,
      // and a filter may hold 25 values only.
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.Compute/galleries/images/versions/write'
            'Microsoft.Compute/galleries/images/versions/delete'
          ]
        }
      ]
    }
    retryPolicy: {
      eventTimeToLiveInMinutes: 1440
      maxDeliveryAttempts: 30
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'UserAssigned'
        userAssignedIdentity: identityId
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: storageAccountId
          blobContainerName: deadLetterContainerName
        }
      }
    }
  }
}

@description('Resource id of the system topic.')
output topicId string = topic.id
